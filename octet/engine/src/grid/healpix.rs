//! HEALPix in its nested order: equal-area pixels, each the parent of four, good to both poles. It knows nothing of
//! what lies in a pixel.
//!
//! Source: Górski et al., "HEALPix: a framework for high-resolution discretization and fast analysis of data
//! distributed on the sphere", ApJ 622 (2005), equations 2–9 and section 4.1.

use std::f64::consts::FRAC_PI_2;

use octet::LatLon;

/// A subdivision: 12 · 4^`order` pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Healpix {
    order: u8,
}

/// Row and column of each base pixel's southern corner (the paper's F1 and F2).
const ROW: [i64; 12] = [2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4];
const COLUMN: [i64; 12] = [1, 3, 5, 7, 0, 2, 4, 6, 1, 3, 5, 7];

impl Healpix {
    /// The subdivision of this order, at most 13 so that a pixel fits 32 bits.
    #[must_use]
    pub const fn new(order: u8) -> Self {
        assert!(order <= 13, "a pixel of a higher order does not fit 32 bits");
        Self { order }
    }

    /// How many pixels there are.
    #[must_use]
    pub const fn len(self) -> u32 {
        12 << (2 * self.order)
    }

    /// Never: there are at least twelve pixels.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        false
    }

    /// The area of each pixel in km².
    #[must_use]
    pub fn pixel_area_km2(self) -> f64 {
        let radius = octet_geometry::EARTH_RADIUS_KM;
        4.0 * std::f64::consts::PI * radius * radius / f64::from(self.len())
    }

    /// The pixel that holds the place.
    #[must_use]
    pub fn pixel(self, place: LatLon) -> u32 {
        let side = 1_i64 << self.order;
        let sides = side as f64;
        let z = place.lat().to_radians().sin();
        let quarter = (place.lon() / 90.0).rem_euclid(4.0);
        let (face, x, y) = if z.abs() <= 2.0 / 3.0 {
            let (ascending, descending) = (sides * (0.5 + quarter), sides * z * 0.75);
            let (up, down) = ((ascending - descending) as i64, (ascending + descending) as i64);
            let (face_up, face_down) = (up >> self.order, down >> self.order);
            let face = match face_up.cmp(&face_down) {
                std::cmp::Ordering::Equal => (face_up & 3) + 4,
                std::cmp::Ordering::Less => face_up & 3,
                std::cmp::Ordering::Greater => (face_down & 3) + 8,
            };
            (face, down & (side - 1), side - (up & (side - 1)) - 1)
        } else {
            let base = (quarter as i64).min(3);
            let along = quarter - base as f64;
            let reach = sides * (3.0 * (1.0 - z.abs())).sqrt();
            let up = ((along * reach) as i64).min(side - 1);
            let down = (((1.0 - along) * reach) as i64).min(side - 1);
            if z >= 0.0 { (base, side - down - 1, side - up - 1) } else { (base + 8, up, down) }
        };
        ((face as u32) << (2 * self.order)) | spread(x as u32) | (spread(y as u32) << 1)
    }

    /// The centre of a pixel; pixels beyond the last are taken as the last.
    #[must_use]
    pub fn center(self, pixel: u32) -> LatLon {
        let pixel = pixel.min(self.len() - 1);
        let side = 1_i64 << self.order;
        let face = (pixel >> (2 * self.order)) as usize;
        let within = pixel & ((1 << (2 * self.order)) - 1);
        let (x, y) = (i64::from(gather(within)), i64::from(gather(within >> 1)));
        let ring = ROW[face] * side - x - y - 1;
        let (across, z, shift) = if ring < side {
            (ring, 1.0 - (ring * ring) as f64 / (3 * side * side) as f64, 0)
        } else if ring > 3 * side {
            let south = 4 * side - ring;
            (south, (south * south) as f64 / (3 * side * side) as f64 - 1.0, 0)
        } else {
            (side, (2 * side - ring) as f64 * 2.0 / (3 * side) as f64, (ring - side) & 1)
        };
        let mut step = (COLUMN[face] * across + x - y + 1 + shift) / 2;
        if step > 4 * side {
            step -= 4 * side;
        }
        if step < 1 {
            step += 4 * side;
        }
        let turn = (step as f64 - (shift + 1) as f64 * 0.5) * (FRAC_PI_2 / across as f64);
        let lon = turn.to_degrees();
        let lon = if lon > 180.0 { lon - 360.0 } else { lon };
        LatLon::new(z.clamp(-1.0, 1.0).asin().to_degrees(), lon.clamp(-180.0, 180.0))
            .unwrap_or_else(|_| unreachable!("clamped to the range of a place"))
    }
}

/// Puts a zero before each bit.
fn spread(bits: u32) -> u32 {
    let mut bits = bits & 0xffff;
    bits = (bits | (bits << 8)) & 0x00ff_00ff;
    bits = (bits | (bits << 4)) & 0x0f0f_0f0f;
    bits = (bits | (bits << 2)) & 0x3333_3333;
    (bits | (bits << 1)) & 0x5555_5555
}

/// Takes every second bit.
fn gather(bits: u32) -> u32 {
    let mut bits = bits & 0x5555_5555;
    bits = (bits | (bits >> 1)) & 0x3333_3333;
    bits = (bits | (bits >> 2)) & 0x0f0f_0f0f;
    bits = (bits | (bits >> 4)) & 0x00ff_00ff;
    (bits | (bits >> 8)) & 0x0000_ffff
}

#[cfg(test)]
mod tests {
    use octet_geometry::distance_km;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_pixel_holds_its_own_centre() {
        for order in 0..=7 {
            let grid = Healpix::new(order);
            for pixel in 0..grid.len() {
                assert_eq!(grid.pixel(grid.center(pixel)), pixel, "order {order}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_place_is_near_the_centre_of_its_pixel(lat in -90.0..=90.0_f64, lon in -180.0..=180.0_f64, order in 0..=13_u8) {
            let grid = Healpix::new(order);
            let place = LatLon::new(lat, lon).unwrap();
            let away = distance_km(place, grid.center(grid.pixel(place)));
            prop_assert!(away < 1.2 * grid.pixel_area_km2().sqrt());
        }

        #[test]
        fn a_pixel_lies_in_its_parent(lat in -90.0..=90.0_f64, lon in -180.0..=180.0_f64, order in 1..=13_u8) {
            let place = LatLon::new(lat, lon).unwrap();
            prop_assert_eq!(Healpix::new(order).pixel(place) >> 2, Healpix::new(order - 1).pixel(place));
        }
    }
}
