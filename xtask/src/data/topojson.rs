//! Decodes quantised TopoJSON (its specification, sections 2.1.3 and 2.1.4) into rings of places. It knows no
//! country.

use anyhow::{Context, Result};
use octet::LatLon;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(super) struct Topology {
    objects: Objects,
    arcs: Vec<Vec<[i64; 2]>>,
    transform: Transform,
}

#[derive(Debug, Deserialize)]
struct Objects {
    #[serde(alias = "states")]
    countries: Collection,
}

#[derive(Debug, Deserialize)]
struct Collection {
    geometries: Vec<Geometry>,
}

#[derive(Debug, Deserialize)]
struct Transform {
    scale: [f64; 2],
    translate: [f64; 2],
}

/// One feature: its numeric ISO 3166-1 code, if it has one, its name, and which arcs draw it.
#[derive(Debug, Deserialize)]
pub(super) struct Geometry {
    pub(super) id: Option<String>,
    pub(super) properties: Properties,
    #[serde(flatten)]
    shape: Shape,
}

#[derive(Debug, Deserialize)]
pub(super) struct Properties {
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", content = "arcs")]
enum Shape {
    Polygon(Vec<Vec<i64>>),
    MultiPolygon(Vec<Vec<Vec<i64>>>),
}

/// Rings of one polygon, the outline first, each closed implicitly.
pub(super) type Rings = Vec<Vec<LatLon>>;

impl Topology {
    pub(super) fn features(&self) -> &[Geometry] {
        &self.objects.countries.geometries
    }

    /// The polygons of a feature.
    pub(super) fn polygons(&self, feature: &Geometry) -> Result<Vec<Rings>> {
        let rings = |polygon: &Vec<Vec<i64>>| polygon.iter().map(|arcs| self.ring(arcs)).collect::<Result<Rings>>();
        match &feature.shape {
            Shape::Polygon(polygon) => Ok(vec![rings(polygon)?]),
            Shape::MultiPolygon(polygons) => polygons.iter().map(rings).collect(),
        }
    }

    fn ring(&self, arcs: &[i64]) -> Result<Vec<LatLon>> {
        let mut ring = Vec::new();
        for &arc in arcs {
            let places = self.arc(if arc < 0 { !arc } else { arc })?;
            // Each arc begins where the one before ended.
            ring.pop();
            if arc < 0 { ring.extend(places.into_iter().rev()) } else { ring.extend(places) }
        }
        ring.pop();
        Ok(ring)
    }

    fn arc(&self, index: i64) -> Result<Vec<LatLon>> {
        let arc =
            usize::try_from(index).ok().and_then(|index| self.arcs.get(index)).context("an arc that is not there")?;
        let mut at = [0, 0];
        arc.iter()
            .map(|step| {
                at = [at[0] + step[0], at[1] + step[1]];
                let degrees =
                    |axis: usize| at[axis] as f64 * self.transform.scale[axis] + self.transform.translate[axis];
                Ok(LatLon::new(degrees(1).clamp(-90.0, 90.0), degrees(0).clamp(-180.0, 180.0))?)
            })
            .collect()
    }
}
