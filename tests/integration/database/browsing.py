"""Neo4j Browser in a headless Chromium, used as a person uses it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from jobs.database.server import Server
from tests.conftest import missing

PATIENCE_S = 60
ALONE = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--window-size=1500,1100",
]
"""Without these Chromium looks for its maker's servers."""


class Page:
    """Neo4j Browser, logged in."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self._driver = driver
        self._wait = WebDriverWait(driver, PATIENCE_S)

    def log_in(self, server: Server) -> None:
        """Log in with the password of the server's file."""
        address = f"{server.browser}?dbms={server.uri.replace('//', '//neo4j@')}"
        self._driver.get(address)
        self._named("password").send_keys(server.password_file.read_text(encoding="utf-8").strip())
        self._named("connect").click()
        self.sees("frameCommand", ":play")

    def run(self, text: str) -> None:
        """Type a text into the editor and run it."""
        editor = self._driver.find_element(By.CSS_SELECTOR, "#monaco-main-editor textarea")
        editor.send_keys(Keys.CONTROL, "a")
        editor.send_keys(Keys.DELETE)
        editor.send_keys(" ".join(text.split()))
        editor.send_keys(Keys.CONTROL, Keys.ENTER)

    def sees(self, name: str, text: str) -> None:
        """Wait until a part of the page shows a text."""
        self._wait.until(lambda _: any(text in each for each in self._texts(name)))

    def colours(self) -> set[str]:
        """The colours of the circles in the newest picture, once it has any."""
        circles = "[data-testid=frame]:first-of-type circle.b-outline"
        found = self._wait.until(lambda driver: driver.find_elements(By.CSS_SELECTOR, circles))
        return {str(each.get_attribute("fill")).upper() for each in found}

    def picture(self, path: Path) -> None:
        """Save what is seen, once the picture stands still."""
        time.sleep(4)
        self._driver.save_screenshot(str(path))

    def _named(self, name: str) -> webdriver.remote.webelement.WebElement:
        selector = f"[data-testid={name}]"
        found = self._wait.until(lambda d: d.find_elements(By.CSS_SELECTOR, selector))
        element: webdriver.remote.webelement.WebElement = found[0]
        return element

    def _texts(self, name: str) -> list[str]:
        found = self._driver.find_elements(By.CSS_SELECTOR, f"[data-testid={name}]")
        return [each.text for each in found]


@contextmanager
def browser(server: Server) -> Iterator[Page]:
    """A logged-in Neo4j Browser."""
    program, driver_program = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver_program is None:
        missing("no chromium and chromedriver: apt-get install chromium chromium-driver")
        raise AssertionError
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in ALONE:
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service(driver_program))
    try:
        page = Page(driver)
        page.log_in(server)
        yield page
    finally:
        driver.quit()
