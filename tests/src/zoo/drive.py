"""The zoo's Python drivers: one visit by the library of the first argument, to the URL of the second, with a profile
folder of its own. Ends when its standard input does. Knows how programs drive browsers, and nothing of how that is
noticed."""

import asyncio
import os
import shutil
import sys

kind, url, profile = sys.argv[1:4]
library, _, form = kind.removesuffix("-silent").partition("-")
SILENT = kind.endswith("-silent")
HEADLESS = form == "headless"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--no-first-run", "--password-store=basic"]


def wait():
    sys.stdin.read()


async def waited():
    await asyncio.get_running_loop().run_in_executor(None, wait)


def chromedriver():
    """A copy, since the libraries that hide change theirs."""
    os.makedirs(profile, exist_ok=True)
    return shutil.copy("/usr/bin/chromedriver", os.path.join(profile, "chromedriver"))


def click_and_type(driver):
    driver.get(url)
    if not SILENT:
        driver.find_element("css selector", "button").click()
        driver.find_element("css selector", "input").send_keys("octet")
    wait()
    driver.quit()


def undetected():
    import undetected_chromedriver

    options = undetected_chromedriver.ChromeOptions()
    for flag in FLAGS:
        options.add_argument(flag)
    click_and_type(
        undetected_chromedriver.Chrome(
            options=options,
            headless=HEADLESS,
            browser_executable_path=CHROMIUM,
            driver_executable_path=chromedriver(),
        )
    )


async def nodriver():
    import nodriver as library

    await tab_by_tab(library)


async def zendriver():
    import zendriver as library

    await tab_by_tab(library)


async def tab_by_tab(library):
    browser = await library.start(
        headless=HEADLESS, browser_executable_path=CHROMIUM, browser_args=FLAGS, sandbox=False, user_data_dir=profile
    )
    tab = await browser.get(url)
    await tab.sleep(1)
    if SILENT:
        return await waited()
    button = await tab.select("button")
    await button.mouse_click()
    word = await tab.select("input")
    await word.send_keys("octet")
    await waited()
    browser.stop()


def drission():
    from DrissionPage import Chromium, ChromiumOptions

    options = ChromiumOptions().set_browser_path(CHROMIUM).set_user_data_path(profile).headless(HEADLESS)
    for flag in FLAGS:
        options.set_argument(flag)
    browser = Chromium(options.auto_port())
    tab = browser.latest_tab
    tab.get(url)
    if not SILENT:
        tab.ele("tag:button").click()
        tab.ele("tag:input").input("octet")
    wait()
    browser.quit()


async def driverless():
    from selenium_driverless import webdriver
    from selenium_driverless.types.by import By

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in FLAGS + (["--headless=new"] if HEADLESS else []):
        options.add_argument(flag)
    async with webdriver.Chrome(options=options) as driver:
        await driver.get(url)
        if not SILENT:
            await (await driver.find_element(By.CSS, "button")).click()
            await (await driver.find_element(By.CSS, "input")).send_keys("octet")
        await waited()


def botasaurus():
    from botasaurus_driver import Driver

    driver = Driver(headless=HEADLESS, chrome_executable_path=CHROMIUM, arguments=FLAGS)
    driver.get(url)
    if not SILENT:
        driver.click("button")
        driver.type("input", "octet")
    wait()
    driver.close()


async def pydoll():
    from pydoll.browser import Chrome
    from pydoll.browser.options import ChromiumOptions

    options = ChromiumOptions()
    options.binary_location = CHROMIUM
    options.headless = HEADLESS
    for flag in FLAGS:
        if flag != "--no-first-run":
            options.add_argument(flag)
    async with Chrome(options=options) as browser:
        tab = await browser.start()
        await tab.go_to(url)
        if not SILENT:
            await (await tab.find(tag_name="button")).click()
            await (await tab.find(tag_name="input")).type_text("octet")
        await waited()


def concealed():
    """Playwright's Python library with its own stealth plugin."""
    from playwright.sync_api import sync_playwright
    from playwright_stealth import Stealth

    with Stealth().use_sync(sync_playwright()) as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=HEADLESS, args=FLAGS)
        page = browser.new_context(ignore_https_errors=True).new_page()
        page.goto(url)
        if not SILENT:
            page.click("button")
            page.type("input", "octet")
        wait()
        browser.close()


def seleniumbase():
    """Its mode that speaks the devtools protocol alone."""
    from seleniumbase import sb_cdp

    browser = sb_cdp.Chrome(url, browser_executable_path=CHROMIUM, headless=HEADLESS, user_data_dir=profile)
    if not SILENT:
        browser.click("button")
        browser.press_keys("input", "octet")
    wait()
    browser.driver.stop()


def webkitgtk():
    """Selenium with WebKitGTK's own driver."""
    from selenium import webdriver
    from selenium.webdriver.webkitgtk.options import Options
    from selenium.webdriver.webkitgtk.service import Service

    options = Options()
    options.binary_location = "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser"
    options.add_argument("--automation")
    options.set_capability("acceptInsecureCerts", True)
    click_and_type(webdriver.WebKitGTK(options=options, service=Service("/usr/bin/WebKitWebDriver")))


visit = globals()[library]
if asyncio.iscoroutinefunction(visit):
    asyncio.run(visit())
else:
    visit()
