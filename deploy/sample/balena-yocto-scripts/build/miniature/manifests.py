"""Device type manifests: reads the CoffeeScript subset that they are written in and writes the generated JSON files."""
import glob
import json
import os
import re
import sys

# What the real generator's library offers to `require`d names; texts are our own.
SHARED = {
    "networkOptions.group": {"isGroup": True, "name": "network", "message": "Network", "options": [
        {"message": "How will it connect?", "name": "network", "type": "list", "choices": ["ethernet", "wifi"]},
        {"message": "Wifi name", "name": "wifiSsid", "type": "text", "when": {"network": "wifi"}},
        {"message": "Wifi password", "name": "wifiKey", "type": "password", "when": {"network": "wifi"}}]},
    "commonImg.initialization": {"options": [{"message": "Which drive?", "type": "drive", "name": "drive"}], "operations": [{"command": "burn"}]},
    "instructions.DONE": "Done: the device shows up in a minute.",
}
ADVANCED = {"isGroup": True, "isCollapsible": True, "collapsed": True, "name": "advanced", "message": "Advanced", "options": [
    {"message": "Minutes between update checks", "name": "appUpdatePollInterval", "type": "number", "min": 10, "default": 10}]}
MANDATORY = ("version", "arch", "name", "yocto")
PAIR = re.compile(r"^([A-Za-z_][\w.-]*)\s*([:=])\s*(.*)$")
SCALARS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False, "null": None}


class ManifestError(Exception):
    pass


class Reader:
    """Lines with their indentation in columns; a tab goes to the next multiple of eight."""

    def __init__(self, path):
        self.path, self.constants = path, {}
        self.lines = []
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                line = line.rstrip("\n").expandtabs(8)
                if line.strip() and not line.strip().startswith("#"):
                    self.lines.append((number, len(line) - len(line.lstrip()), line.strip()))
        self.at = 0

    def error(self, message):
        number = self.lines[min(self.at, len(self.lines) - 1)][0] if self.lines else 0
        return ManifestError(f"{self.path}:{number}: {message}")

    def read(self):
        while self.at < len(self.lines):
            _, _, line = self.lines[self.at]
            match = re.match(r"^module\.exports\s*=\s*(.*)$", line)
            if match and not match[1]:
                self.at += 1
                return self.object(self.lines[self.at][1] if self.at < len(self.lines) else 0)
            self.at += 1
            if "require" in line or line.startswith("{"):
                continue
            pair = PAIR.match(line)
            if not pair or pair[2] != "=":
                raise self.error(f"unexpected line: {line}")
            self.constants[pair[1]] = self.value(pair[3], 0)
        raise self.error("no module.exports")

    def object(self, indent):
        result = {}
        while self.at < len(self.lines) and self.lines[self.at][1] == indent:
            line = self.lines[self.at][2]
            pair = PAIR.match(line)
            if not pair or pair[2] != ":":
                raise self.error(f"unexpected line: {line}")
            self.at += 1
            if pair[3]:
                result[pair[1]] = self.value(pair[3], indent)
            elif self.at < len(self.lines) and self.lines[self.at][1] > indent:
                result[pair[1]] = self.object(self.lines[self.at][1])
            else:
                result[pair[1]] = None
        return result

    def value(self, word, indent):
        if word == "[":
            return self.array()
        if word.startswith("["):
            inner = word.strip("[] \t")
            return [self.value(item.strip(), indent) for item in inner.split(",")] if inner else []
        if word.startswith("{"):
            inner = word.strip("{} \t")
            pairs = [item.split(":", 1) for item in inner.split(",")] if inner else []
            return {key.strip(): self.value(item.strip(), indent) for key, item in pairs}
        if word[:1] in "'\"" and word[-1:] == word[:1]:
            return word[1:-1]
        if word in SCALARS:
            return SCALARS[word]
        if re.fullmatch(r"-?\d+", word):
            return int(word)
        for known in (self.constants, SHARED):
            if word in known:
                return known[word]
        raise self.error(f"unknown name: {word}")

    def array(self):
        """One item a line up to the closing bracket, at whatever indentation."""
        items = []
        while self.at < len(self.lines):
            line = self.lines[self.at][2].rstrip(",")
            self.at += 1
            if line == "]":
                return items
            items.append(self.value(line, 0))
        raise self.error("array without end")


def device_type(path):
    """The generated document of one manifest."""
    values = Reader(path).read()
    document = {"slug": os.path.basename(path)[:-len(".coffee")], **values}
    for key in MANDATORY:
        if key not in document:
            raise ManifestError(f"{path}: {key} is missing")
    for key in ("machine", "deployArtifact"):
        if key not in document["yocto"]:
            raise ManifestError(f"{path}: yocto.{key} is missing")
    name = document["name"]
    document["instructions"] = [text.replace("<%= TYPE_NAME %>", name) for text in document.get("instructions", [])]
    document["state"] = document.get("state", "released").upper()
    if document["state"] != "RELEASED":
        document["name"] = f"{name} ({document['state']})"
    document["options"] = [*document.get("options", []), ADVANCED]
    return document


def generate(root):
    """Deletes *.json in the root, then writes <file>.json for each manifest; gives the documents by file name."""
    for path in glob.glob(os.path.join(root, "*.json")):
        os.unlink(path)
    documents = {}
    for path in sorted(glob.glob(os.path.join(root, "*.coffee"))):
        document = device_type(path)
        documents[os.path.basename(path)[:-len(".coffee")]] = document
        with open(path[:-len("coffee")] + "json", "w", encoding="utf-8") as file:
            json.dump(document, file, indent="\t", ensure_ascii=False)
            file.write("\n")
    return documents


if __name__ == "__main__":
    try:
        generate(sys.argv[1])
    except (ManifestError, OSError) as error:
        sys.exit(f"error: {error}")
