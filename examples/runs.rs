//! Starts an example as it is built and visits it, with Octet out of reach: a page, its collector, an order. No
//! verdict can come, and the shop must stand all the same.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Starts `program`, and takes what a visitor would.
pub(crate) fn visit(program: &str) {
    let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let (shop, nobody) = (free(), free());
    let child = Command::new(program)
        .arg(&shop)
        .env("OCTET_URL", format!("http://{nobody}"))
        .env("LICENSE", "octet_test_v4.public.abc")
        .env("OCTET_PARTNER_KEY", "octet_pk_test_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
        .spawn();
    let mut running = Running(child.unwrap());

    let page = running.ask(&shop, "GET / HTTP/1.1\r\n", "");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("cache-control: no-store"), "{page}");
    let part = |before: &str| page.split_once(before).and_then(|(_, rest)| rest.split_once('"')).unwrap().0;
    let (session, script) = (part("name=\"octet\" value=\""), part("src=\""));
    let script = running.ask(&shop, &format!("GET {script} HTTP/1.1\r\n"), "");
    assert!(script.starts_with("HTTP/1.1 200") && script.contains("immutable"), "{:.200}", script);
    let order = format!("octet={session}");
    let head = format!(
        "POST /checkout HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
        order.len()
    );
    let answer = running.ask(&shop, &head, &order);
    assert!(answer.ends_with("Thank you for your order."), "{answer}");
}

/// A program that ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// The whole answer to a request; waits for the program to listen.
    fn ask(&mut self, addr: &str, head: &str, body: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut shop = loop {
            match TcpStream::connect(addr) {
                Ok(shop) => break shop,
                Err(error) => assert!(Instant::now() < deadline, "it does not listen: {error}"),
            }
            assert!(self.0.try_wait().unwrap().is_none(), "it has ended");
            std::thread::yield_now();
        };
        write!(shop, "{head}Host: {addr}\r\nConnection: close\r\n\r\n{body}").unwrap();
        let mut answer = Vec::new();
        shop.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}
