use std::collections::BinaryHeap;

use proptest::prelude::*;

use super::*;

const MS: Duration = Duration::from_millis(1);

fn nonces() -> [[u8; 16]; MAX_ROUNDS] {
    std::array::from_fn(|round| std::array::from_fn(|byte| u8::try_from(round * 16 + byte).unwrap()))
}

/// A channel and a browser, and a line between them on which every message takes the same time.
struct Pair {
    channel: Channel,
    now: Instant,
    start: Instant,
    one_way: Duration,
    /// When a message reaches whom, soonest first.
    line: BinaryHeap<std::cmp::Reverse<(Instant, usize, To)>>,
    sent: usize,
    nonces_sent: Vec<Instant>,
    acknowledged: Vec<u8>,
    texts: Vec<String>,
    closed: Option<u16>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum To {
    Edge(Vec<u8>),
    Browser(Vec<u8>),
}

impl Pair {
    fn new(rtt: Duration) -> Self {
        let start = Instant::now();
        Self {
            channel: Channel::open("t", nonces(), start),
            now: start,
            start,
            one_way: rtt / 2,
            line: BinaryHeap::new(),
            sent: 0,
            nonces_sent: Vec::new(),
            acknowledged: Vec::new(),
            texts: Vec::new(),
            closed: None,
        }
    }

    fn send(&mut self, to: To, delay: Duration) {
        self.sent += 1;
        self.line.push(std::cmp::Reverse((self.now + delay, self.sent, to)));
    }

    /// Runs to the end; `answer` says what the browser sends back for a nonce, and how much later.
    fn run(&mut self, mut answer: impl FnMut(&[u8]) -> Vec<(Vec<u8>, Duration)>) {
        loop {
            while let Some(transmit) = self.channel.poll_transmit(self.now) {
                match transmit {
                    Transmit::Text(text) => self.texts.push(text),
                    Transmit::Binary(bytes) => {
                        if bytes[0] == NONCE {
                            self.nonces_sent.push(self.now);
                        }
                        self.send(To::Browser(bytes.to_vec()), self.one_way);
                    }
                    Transmit::Close(code) => self.closed = Some(code),
                }
            }
            if self.channel.is_finished() {
                return;
            }
            let arrival = self.line.peek().map(|std::cmp::Reverse((at, _, _))| *at);
            let Some(next) = self.channel.poll_timeout().into_iter().chain(arrival).min() else { return };
            assert!(next >= self.now, "time runs backwards");
            self.now = next;
            if arrival == Some(next) {
                match self.line.pop().unwrap().0.2 {
                    To::Edge(bytes) => self.channel.receive(self.now, Message::Binary(&bytes)),
                    To::Browser(bytes) if bytes[0] == NONCE => {
                        for (reply, later) in answer(&bytes) {
                            self.send(To::Edge(reply), self.one_way + later);
                        }
                    }
                    To::Browser(bytes) => self.acknowledged.push(bytes[1]),
                }
            }
        }
    }

    fn lasted(&self) -> Duration {
        self.now - self.start
    }
}

fn echo_of(nonce: &[u8]) -> Vec<u8> {
    [&[ECHO, nonce[1]], &nonce[2..]].concat()
}

fn prompt(nonce: &[u8]) -> Vec<(Vec<u8>, Duration)> {
    vec![(echo_of(nonce), Duration::ZERO)]
}

#[test]
fn a_near_browser_is_measured_exactly_and_quickly() {
    let mut pair = Pair::new(10 * MS);
    pair.run(prompt);
    let rounds = pair.channel.rounds();
    assert!(rounds.len() >= MIN_ROUNDS);
    assert!(rounds.iter().all(|round| round.rtt_us == 10_000), "{rounds:?}");
    assert!(pair.lasted() < 100 * MS, "{:?}", pair.lasted());
    assert_eq!(pair.closed, Some(1000));
    assert!(pair.texts[0].contains(r#""ticket":"t""#) && pair.texts[1].contains("end"));
}

#[test]
fn rounds_of_a_far_browser_overlap() {
    let mut pair = Pair::new(400 * MS);
    pair.run(prompt);
    assert!(pair.nonces_sent[1] - pair.nonces_sent[0] < 400 * MS);
    assert!(pair.channel.rounds().len() >= MIN_ROUNDS);
    assert!(pair.lasted() < 700 * MS, "{:?}", pair.lasted());
}

#[test]
fn a_browser_that_never_answers_is_left_after_the_time() {
    let mut pair = Pair::new(10 * MS);
    pair.run(|_| Vec::new());
    assert_eq!(pair.lasted(), MAX_DURATION);
    assert_eq!(pair.nonces_sent.len(), MAX_ROUNDS);
    assert!(pair.channel.rounds().is_empty());
    assert_eq!((pair.channel.void_rounds(), pair.closed), (0, Some(1000)));
}

#[test]
fn an_unsteady_line_gets_more_rounds_than_a_steady_one() {
    let mut pair = Pair::new(10 * MS);
    let mut busy = 0;
    pair.run(|nonce| {
        busy += 1;
        vec![(echo_of(nonce), busy * 7 * MS)]
    });
    assert!(pair.channel.rounds().len() > MIN_ROUNDS);
    assert!(pair.lasted() <= MAX_DURATION);
}

#[test]
fn a_wrong_echo_voids_its_round_even_if_the_right_one_follows() {
    let mut pair = Pair::new(10 * MS);
    pair.run(|nonce| {
        let mut wrong = echo_of(nonce);
        wrong[17] ^= 1;
        if nonce[1] == 0 { vec![(wrong, Duration::ZERO), (echo_of(nonce), MS)] } else { prompt(nonce) }
    });
    assert_eq!(pair.channel.void_rounds(), 1);
    assert!(pair.channel.rounds().iter().all(|round| round.round != 0));
    assert!(!pair.acknowledged.contains(&0));
}

#[test]
fn an_early_echo_voids_the_round_that_was_not_sent() {
    let mut pair = Pair::new(10 * MS);
    pair.run(|nonce| {
        let mut replies = prompt(nonce);
        if nonce[1] == 0 {
            replies.push(([&[ECHO, 2][..], &nonces()[2]].concat(), Duration::ZERO));
        }
        replies
    });
    assert_eq!(pair.channel.void_rounds(), 1);
    assert!(pair.channel.rounds().iter().all(|round| round.round != 2));
    assert!(pair.channel.rounds().len() >= MIN_ROUNDS);
}

#[test]
fn a_repeated_echo_voids_a_round_that_was_measured() {
    let mut pair = Pair::new(10 * MS);
    pair.run(|nonce| if nonce[1] == 1 { [prompt(nonce), prompt(nonce)].concat() } else { prompt(nonce) });
    assert_eq!(pair.channel.void_rounds(), 1);
    assert!(pair.channel.rounds().iter().all(|round| round.round != 1));
}

#[test]
fn anything_malformed_closes_the_channel_with_1008() {
    for bad in [&[][..], &[ECHO], &[ECHO, 0, 1], &[NONCE; 18], &[ECHO; 19], &[ECHO, 16, 0, 0, 0, 0, 0, 0, 0, 0]] {
        let mut pair = Pair::new(10 * MS);
        pair.run(|_| vec![(bad.to_vec(), Duration::ZERO)]);
        assert_eq!(pair.closed, Some(1008), "{bad:?}");
        assert!(pair.texts.iter().all(|text| !text.contains("end")));
    }
    let start = Instant::now();
    let mut channel = Channel::open("t", nonces(), start);
    channel.receive(start, Message::Text("hello"));
    assert_eq!(channel.poll_transmit(start).map(|hello| matches!(hello, Transmit::Text(_))), Some(true));
    assert_eq!(channel.poll_transmit(start), Some(Transmit::Close(1008)));
    assert!(channel.is_finished());
}

#[test]
fn a_flood_of_echoes_closes_the_channel() {
    let mut pair = Pair::new(10 * MS);
    pair.run(|_| vec![([&[ECHO, 9][..], &[0; 16]].concat(), Duration::ZERO); 40]);
    assert_eq!(pair.closed, Some(1008));
}

proptest! {
    #[test]
    fn no_browser_gets_a_round_trip_below_the_lines(
        rtt_ms in 0_u32..600,
        delays in prop::collection::vec(0_u64..300, MAX_ROUNDS),
        noise in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..6),
    ) {
        let mut pair = Pair::new(rtt_ms * MS);
        pair.run(|nonce| {
            let later = Duration::from_millis(delays[usize::from(nonce[1])]);
            let mut replies = vec![(echo_of(nonce), later)];
            replies.extend(noise.get(usize::from(nonce[1])).map(|bytes| {
                (if bytes.len() > 17 { [&[ECHO][..], &bytes[1..18]].concat() } else { echo_of(nonce) }, later)
            }));
            replies
        });
        prop_assert!(pair.lasted() <= MAX_DURATION);
        prop_assert!(pair.channel.rounds().iter().all(|round| round.rtt_us >= rtt_ms / 2 * 2 * 1000));
        prop_assert!(pair.channel.rounds().len() + usize::from(pair.channel.void_rounds()) <= MAX_ROUNDS);
    }

    #[test]
    fn no_bytes_make_the_channel_fail(messages in prop::collection::vec(any::<Vec<u8>>(), 0..40)) {
        let start = Instant::now();
        let mut channel = Channel::open("t", nonces(), start);
        for message in &messages {
            channel.receive(start, Message::Binary(message));
            while channel.poll_transmit(start).is_some() {}
        }
        prop_assert!(channel.rounds().is_empty());
    }
}
