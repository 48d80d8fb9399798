"""Checks each link of a site that DocC has made: pages, anchors and files of its own must be there; addresses of others must be ones.

usage: site-links.py FOLDER [BASE-PATH]

DocC renders in the browser: links are in the JSON of each page, and its HTML is a shell whose links are checked too.
"""

import html.parser
import json
import pathlib
import sys
import urllib.parse

# What a page's template has of its own, whatever the page says.
TEMPLATE_ANCHORS = {"topics", "see-also", "relationships", "default-implementations", "discussion", "overview", "parameters", "return-value",
                    "mentions", "declarations", "app-main", "app-top"}


class Shell(html.parser.HTMLParser):
    """The links of one HTML file."""

    def __init__(self):
        super().__init__()
        self.links = []

    def handle_starttag(self, tag, attributes):
        self.links += [value for name, value in attributes if name in ("href", "src") and value]


def everything(value):
    """Each object in a JSON value."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from everything(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from everything(inner)


class Site:
    def __init__(self, folder, base):
        self.folder, self.base = pathlib.Path(folder), base.rstrip("/")
        self.pages = {}
        for path in sorted((self.folder / "data").rglob("*.json")):
            self.pages["/" + str(path.relative_to(self.folder / "data"))[:-5].lower()] = json.loads(path.read_text())
        self.anchors = {name: self.anchors_of(page) for name, page in self.pages.items()}
        self.problems, self.links = [], 0

    @staticmethod
    def anchors_of(page):
        named = {thing["anchor"].lower() for thing in everything(page) if isinstance(thing.get("anchor"), str)}
        return named | TEMPLATE_ANCHORS

    def expect(self, place, url):
        """A link of the site to itself: a page of it with that anchor, or a file."""
        self.links += 1
        path, _, anchor = urllib.parse.unquote(url).partition("#")
        page = path.rstrip("/").lower()
        if page in self.pages:
            if not (self.folder / page.strip("/") / "index.html").exists():
                self.problems.append(f"{place}: {url} has no index.html")
            if anchor and anchor.lower() not in self.anchors[page]:
                self.problems.append(f"{place}: {url}: no such place on that page")
        elif not (self.folder / path.strip("/")).is_file():
            self.problems.append(f"{place}: {url} is not there")

    def expect_address(self, place, url):
        """A link to others: only its form can be checked here."""
        self.links += 1
        try:
            parts = urllib.parse.urlsplit(url)
            fine = parts.scheme in ("http", "https") and bool(parts.hostname) and not any(c.isspace() for c in url)
        except ValueError:
            fine = False
        if not fine:
            self.problems.append(f"{place}: {url} is no address of the web")

    def check_page(self, place, page):
        references = page.get("references", {})
        # Of a tutorial's chapters only the names are shown: they have no page.
        chapters = {chapter.get("reference") for chapter in page.get("hierarchy", {}).get("modules", [])}
        # Protocols of other modules are names, and no links.
        foreign = {name for section in page.get("relationshipsSections", []) for name in section.get("identifiers", [])}
        body = {key: value for key, value in page.items() if key != "references"}
        for name, reference in references.items():
            if name in chapters and page.get("kind") == "project":
                continue
            if reference.get("type") == "unresolvable" and name not in foreign:
                self.problems.append(f"{place}: {name} cannot be resolved")
            for variant in [reference] + [v for v in reference.get("variants", []) if isinstance(v, dict)]:
                url = variant.get("url")
                if isinstance(url, str):
                    self.expect(place, url) if url.startswith("/") else self.expect_address(place, url)
        for thing in everything(body):
            if thing.get("type") != "reference" or "identifier" not in thing:
                continue
            if thing["identifier"] not in references:
                self.problems.append(f"{place}: {thing['identifier']} is referred to, and nowhere")
            elif thing.get("isActive") is False and not thing["identifier"].startswith("doc://"):
                self.problems.append(f"{place}: {thing['identifier']} is no link")
        for thing in everything(body):
            if thing.get("type") == "link" and isinstance(thing.get("destination"), str):
                self.expect_address(place, thing["destination"])

    def check_index(self):
        index = json.loads((self.folder / "index" / "index.json").read_text())
        for thing in everything(index):
            if isinstance(thing.get("path"), str):
                self.expect("index", thing["path"])

    def check_shells(self):
        for path in sorted(self.folder.rglob("*.html")):
            shell = Shell()
            shell.feed(path.read_text())
            place = str(path.relative_to(self.folder))
            for link in shell.links:
                if link.startswith(("http://", "https://")):
                    self.expect_address(place, link)
                elif link.startswith("/"):
                    if link.startswith(self.base + "/"):
                        self.expect(place, link[len(self.base):])
                    else:
                        self.problems.append(f"{place}: {link} is not below {self.base}")
                elif not link.startswith(("#", "data:")):
                    self.expect(place, "/" + str(path.parent.relative_to(self.folder) / link).removeprefix("./"))

    def check(self):
        for name, page in self.pages.items():
            self.check_page(name, page)
        self.check_index()
        self.check_shells()


def main(folder, base=""):
    site = Site(folder, base)
    site.check()
    for problem in sorted(set(site.problems)):
        print(f"docs: {problem}", file=sys.stderr)
    print(f"docs: {len(site.pages)} pages, {site.links} links, {len(set(site.problems))} dead")
    return 1 if site.problems or not site.pages else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
