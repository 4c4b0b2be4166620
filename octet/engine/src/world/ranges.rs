//! Values over the address space: sorted starts and a value for each, looked up by bisection. IPv4 by address, IPv6
//! by /64, the smallest network that one visitor has. It knows nothing of what a value means.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::codec::{Reader, Unpacked, Writer};
use super::error::TableError;

/// A value of some addresses; the default stands for "nothing is known".
pub(crate) trait Value: Copy + Eq + Default + Into<u32> + TryFrom<u32> {}
impl<T: Copy + Eq + Default + Into<u32> + TryFrom<u32>> Value for T {}

/// A start of a range: an IPv4 address, or the upper half of an IPv6 address.
trait Key: Copy + Ord + Into<u64> + TryFrom<u64> {
    const BITS: u32;
}

impl Key for u32 {
    const BITS: u32 = 32;
}

impl Key for u64 {
    const BITS: u32 = 64;
}

/// A value for each address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AddressMap<V> {
    v4: Ranges<u32, V>,
    v6: Ranges<u64, V>,
}

/// Range `i` runs from `starts[i]` to before `starts[i + 1]`, the last to the end of the space; what is before the
/// first has the default value. Neighbours have different values.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ranges<K, V> {
    starts: Vec<K>,
    values: Vec<V>,
}

/// Some addresses, first and last inclusive, both of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    family: Family,
    first: u64,
    last: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

impl Span {
    /// From `first` to `last`, both inclusive, as numbers in the IPv4 space.
    #[must_use]
    pub fn v4(first: u32, last: u32) -> Option<Self> {
        (first <= last).then_some(Self { family: Family::V4, first: first.into(), last: last.into() })
    }

    /// From `first` to `last`, both inclusive, as numbers in the IPv6 space; none when no /64 begins within.
    #[must_use]
    pub fn v6(first: u128, last: u128) -> Option<Self> {
        let upper = |address: u128| (address >> 64) as u64;
        let begins_within = if first as u64 == 0 { upper(first) } else { upper(first).checked_add(1)? };
        (first <= last && begins_within <= upper(last)).then_some(Self {
            family: Family::V6,
            first: begins_within,
            last: upper(last),
        })
    }

    /// The network of this address and prefix length; an IPv6 network longer than /64 is widened to its /64.
    #[must_use]
    pub fn network(address: IpAddr, prefix: u8) -> Option<Self> {
        let (family, bits, address) = match address {
            IpAddr::V4(address) => (Family::V4, 32, u64::from(u32::from(address))),
            IpAddr::V6(address) => (Family::V6, 128, (u128::from(address) >> 64) as u64),
        };
        let width: u8 = if family == Family::V4 { 32 } else { 64 };
        let host_bits = u32::from(width.saturating_sub((prefix <= bits).then_some(prefix)?));
        let hosts = 1_u64.checked_shl(host_bits).unwrap_or(0).wrapping_sub(1);
        Some(Self { family, first: address & !hosts, last: address | hosts })
    }

    /// How many addresses or /64 it has beyond the first.
    #[must_use]
    pub fn width(&self) -> u64 {
        self.last - self.first
    }

    /// Whether the address is in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let single = Self::network(address, if address.is_ipv4() { 32 } else { 64 });
        single.is_some_and(|at| at.family == self.family && (self.first..=self.last).contains(&at.first))
    }

    /// The first address, and the last IPv4 address or the first of the last /64.
    #[must_use]
    pub fn ends(&self) -> [IpAddr; 2] {
        [self.first, self.last].map(|end| match self.family {
            Family::V4 => Ipv4Addr::from(end as u32).into(),
            Family::V6 => Ipv6Addr::from(u128::from(end) << 64).into(),
        })
    }
}

impl<V: Value> Default for AddressMap<V> {
    fn default() -> Self {
        Self { v4: Ranges::default(), v6: Ranges::default() }
    }
}

impl<V: Value> AddressMap<V> {
    /// The map of these spans, in any order. Where spans overlap, `join` makes one value of two: the wider span's, then
    /// the narrower's; of equally wide ones the earlier's, then the later's.
    pub(crate) fn new(spans: impl IntoIterator<Item = (Span, V)>, join: impl Fn(V, V) -> V) -> Self {
        let (v4, v6): (Vec<_>, Vec<_>) = spans.into_iter().partition(|(span, _)| span.family == Family::V4);
        Self { v4: Ranges::new(v4, &join), v6: Ranges::new(v6, &join) }
    }

    /// The value of this address.
    pub(crate) fn get(&self, address: IpAddr) -> V {
        match address {
            IpAddr::V4(address) => self.v4.get(address.into()),
            IpAddr::V6(address) => self.v6.get((u128::from(address) >> 64) as u64),
        }
    }

    /// How many bytes the map holds on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.v4.heap_bytes() + self.v6.heap_bytes()
    }

    pub(crate) fn encode(&self, table: &'static str) -> std::io::Result<Vec<u8>> {
        let mut writer = Writer::new(table);
        self.v4.encode(&mut writer);
        self.v6.encode(&mut writer);
        writer.finish()
    }

    pub(crate) fn read(table: &'static str, unpacked: &Unpacked) -> Result<Self, TableError> {
        let mut reader = unpacked.reader(table)?;
        let map = Self { v4: Ranges::decode(&mut reader)?, v6: Ranges::decode(&mut reader)? };
        reader.finish()?;
        Ok(map)
    }
}

impl<K: Key, V: Value> Default for Ranges<K, V> {
    fn default() -> Self {
        Self { starts: Vec::new(), values: Vec::new() }
    }
}

impl<K: Key, V: Value> Ranges<K, V> {
    fn new(mut spans: Vec<(Span, V)>, join: impl Fn(V, V) -> V) -> Self {
        spans.sort_by_key(|(span, _)| (span.first, span.last));
        // A list may say one thing often.
        spans.dedup();
        let mut bounds: Vec<u64> =
            spans.iter().flat_map(|(span, _)| [Some(span.first), span.last.checked_add(1)]).flatten().collect();
        bounds.sort_unstable();
        bounds.dedup();
        let mut ranges = Self::default();
        let mut open: Vec<(Span, V)> = Vec::new();
        let mut upcoming = spans.into_iter().peekable();
        for bound in bounds {
            open.retain(|(span, _)| span.last >= bound);
            while let Some(opened) = upcoming.next_if(|(span, _)| span.first == bound) {
                open.push(opened);
            }
            open.sort_by_key(|(span, _)| std::cmp::Reverse(span.width()));
            let value = open.iter().map(|&(_, value)| value).reduce(&join).unwrap_or_default();
            ranges.push(bound, value);
        }
        ranges
    }

    /// Adds a range behind the others; one of its neighbour's value is the neighbour's.
    fn push(&mut self, start: u64, value: V) {
        let before = self.values.last().copied().unwrap_or_default();
        // A bound past the end of the space opens no range.
        if let (true, Ok(start)) = (value != before, K::try_from(start)) {
            self.starts.push(start);
            self.values.push(value);
        }
    }

    fn get(&self, address: K) -> V {
        let after = self.starts.partition_point(|&start| start <= address);
        after.checked_sub(1).and_then(|index| self.values.get(index)).copied().unwrap_or_default()
    }

    fn heap_bytes(&self) -> usize {
        self.starts.capacity() * size_of::<K>() + self.values.capacity() * size_of::<V>()
    }

    /// Three columns, as they pack better apart: how each start stands to the one before, what that does not say,
    /// and the values as indices into a palette, the most frequent first.
    fn encode(&self, writer: &mut Writer) {
        let palette = palette(&self.values);
        let index: std::collections::BTreeMap<u32, usize> = palette.iter().copied().zip(0..).collect();
        let steps: Vec<u64> = std::iter::once(0)
            .chain(self.starts.iter().map(|&start| start.into()))
            .zip(self.starts.iter())
            .map(|(before, &start)| start.into() - before)
            .collect();
        writer.count(steps.len());
        for &step in &steps {
            writer.raw(&[shape::<K>(step)]);
        }
        for &step in steps.iter().filter(|step| !step.is_power_of_two()) {
            writer.unsigned(if step == 0 { 0 } else { step >> step.trailing_zeros() });
        }
        writer.count(palette.len());
        for &value in &palette {
            writer.unsigned(value.into());
        }
        for &value in &self.values {
            writer.count(index[&value.into()]);
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, TableError> {
        let malformed = TableError::Malformed { what: "range of addresses" };
        let count = reader.count()?;
        let shapes = reader.raw(count)?;
        let mut starts = Vec::with_capacity(count);
        let mut at = 0_u64;
        for &shape in shapes {
            let zeros = u32::from(shape) % K::BITS;
            let odd = match u32::from(shape) / K::BITS {
                0 => 1,
                1 => reader.unsigned()?,
                _ => return Err(malformed),
            };
            let step = odd.checked_mul(1 << zeros).ok_or_else(|| malformed.clone())?;
            if step == 0 && !starts.is_empty() {
                return Err(malformed);
            }
            at = at.checked_add(step).ok_or_else(|| malformed.clone())?;
            starts.push(K::try_from(at).map_err(|_| malformed.clone())?);
        }
        let palette = reader.list(|reader| {
            V::try_from(reader.number("value")?).map_err(|_| TableError::Malformed { what: "value of an address" })
        })?;
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            values.push(*palette.get(reader.number::<usize>("value")?).ok_or_else(|| malformed.clone())?);
        }
        Ok(Self { starts, values })
    }
}

/// How a step is written: a power of two by its exponent, anything else by its trailing zeros.
fn shape<K: Key>(step: u64) -> u8 {
    if step == 0 {
        return K::BITS as u8;
    }
    let zeros = step.trailing_zeros() as u8;
    if step.is_power_of_two() { zeros } else { K::BITS as u8 + zeros }
}

fn palette<V: Value>(values: &[V]) -> Vec<u32> {
    let mut counts: std::collections::BTreeMap<u32, usize> = std::collections::BTreeMap::new();
    for &value in values {
        *counts.entry(value.into()).or_default() += 1;
    }
    let mut palette: Vec<(u32, usize)> = counts.into_iter().collect();
    palette.sort_by_key(|&(value, count)| (std::cmp::Reverse(count), value));
    palette.into_iter().map(|(value, _)| value).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spans() -> impl Strategy<Value = Vec<(Span, u8)>> {
        let v4 =
            (any::<u32>(), 0..=32_u8).prop_map(|(address, prefix)| (IpAddr::from(Ipv4Addr::from(address)), prefix));
        let v6 =
            (any::<u128>(), 0..=128_u8).prop_map(|(address, prefix)| (IpAddr::from(Ipv6Addr::from(address)), prefix));
        let network = prop_oneof![v4, v6].prop_map(|(address, prefix)| Span::network(address, prefix).unwrap());
        prop::collection::vec((network, 1..=3_u8), 0..30)
    }

    /// What the map should say, the slow way.
    fn oracle(spans: &[(Span, u8)], address: IpAddr) -> u8 {
        spans.iter().filter(|(span, _)| span.contains(address)).fold(0, |joined, (_, value)| joined | value)
    }

    proptest! {
        #[test]
        fn a_look_up_finds_what_the_spans_say(spans in spans(), v4: u32, v6: u128) {
            let map = AddressMap::new(spans.iter().copied(), |a, b| a | b);
            let mut addresses = vec![IpAddr::from(Ipv4Addr::from(v4)), IpAddr::from(Ipv6Addr::from(v6))];
            for (span, _) in &spans {
                for at in [span.first.saturating_sub(1), span.first, span.last, span.last.saturating_add(1)] {
                    addresses.push(match span.family {
                        Family::V4 => Ipv4Addr::from(u32::try_from(at).unwrap_or(u32::MAX)).into(),
                        Family::V6 => Ipv6Addr::from(u128::from(at) << 64).into(),
                    });
                }
            }
            for address in addresses {
                prop_assert_eq!(map.get(address), oracle(&spans, address), "{}", address);
            }
        }

        #[test]
        fn a_table_gives_back_its_map(spans in spans()) {
            let map = AddressMap::new(spans, |a, b| a | b);
            let table = map.encode("test").unwrap();
            prop_assert_eq!(AddressMap::<u8>::read("test", &Unpacked::new(&table).unwrap()).unwrap(), map);
        }

        #[test]
        fn any_content_is_refused_or_read_without_panic(content: Vec<u8>) {
            let mut writer = Writer::new("test");
            writer.raw(&content);
            let _ = AddressMap::<u16>::read("test", &Unpacked::new(&writer.finish().unwrap()).unwrap());
        }
    }

    #[test]
    fn of_overlapping_spans_the_narrower_is_heard_last() {
        let span = |first, last| Span::v4(first, last).unwrap();
        let nested = [(span(10, 99), 1_u8), (span(10, 19), 2), (span(30, 39), 3), (span(35, 35), 4)];
        for spans in [nested, [nested[3], nested[1], nested[2], nested[0]]] {
            let map = AddressMap::new(spans, |_, narrower| narrower);
            let at = |address: u32| map.get(Ipv4Addr::from(address).into());
            assert_eq!([9, 10, 19, 20, 34, 35, 36, 40, 99, 100].map(at), [0, 2, 2, 1, 3, 4, 3, 1, 1, 0]);
        }
    }

    #[test]
    fn a_span_of_ipv6_addresses_counts_the_networks_that_begin_in_it() {
        let network = 0x2001_0db8_0000_0001_u128 << 64;
        assert_eq!(Span::v6(network + 1, network + 5), None);
        assert_eq!(Span::v6(network, network + 5).unwrap().first, Span::v6(network - 9, network).unwrap().first);
    }
}
