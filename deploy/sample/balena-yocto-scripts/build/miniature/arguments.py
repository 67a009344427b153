"""barys' command line, with the real one's habits."""
import re


class UsageError(Exception):
    """Status 1, with this line."""


class Help(Exception):
    """Status 0, with this text."""


FLAGS = {"-k": "continue", "--continue": "continue", "-c": "compress", "--compress": "compress", "-d": "development", "--development-image": "development",
         "-r": "remove_build", "--remove-build": "remove_build", "-l": "log", "--log": "log", "-n": "dry_run", "--dry-run": "dry_run",
         "--rm-work": "rm_work", "--build-history": "build_history"}
VALUES = {"--supervisor-version": "supervisor", "-b": "build_name", "--build-name": "build_name",
          "--shared-downloads": "downloads", "--shared-sstate": "sstate", "-t": "templates", "--templates-path": "templates"}
VARIABLE = re.compile(r"[A-Za-z0-9_-]*=")


class Arguments:
    def __init__(self, words, machines):
        self.machines, self.targets, self.bitbake, self.variables = [], [], [], []
        self.supervisor, self.build_name, self.downloads, self.sstate, self.templates = "", "build", "", "", ""
        for name in FLAGS.values():
            setattr(self, name, False)
        at = 0
        while at < len(words):
            word, value = words[at], words[at + 1] if at + 1 < len(words) else ""
            if word in ("-h", "--help"):
                raise Help("Options: -m -k -c -d -r -b -a -t -l -n --bitbake-target --bitbake-args --supervisor-version --shared-downloads "
                           "--shared-sstate --rm-work --build-history. This is a miniature.")
            if word in ("-v", "--version"):
                raise Help("1.4-miniature")
            if word in FLAGS:
                setattr(self, FLAGS[word], True)
                at += 1
                continue
            known = word in VALUES or word in ("-m", "--machine", "-a", "--additional-variable", "--bitbake-target", "--bitbake-args")
            if not known:
                raise UsageError(f"Unrecognized option {word}.")
            if word in ("--shared-downloads", "--shared-sstate") and not value.startswith("/"):
                raise UsageError(f'"{word}" argument is invalid. Argument needs to be a non-empty, absolute path.')
            if not value:
                raise UsageError(f'"{word}" argument needs a value.')
            at += 2
            if word in ("-m", "--machine"):
                if value not in machines:
                    raise UsageError(f'"{value}" is not a supported machine.')
                self.machines.append(value)
            elif word in ("-a", "--additional-variable"):
                if not VARIABLE.match(value):
                    raise UsageError(f'"{value}" has the wrong argument format for "{word}". Read help.')
                # A value with a space falls apart here, as in the real one, and a word without `=` is name and value.
                self.variables += [tuple(word.split("=", 1)) if "=" in word else (word, word) for word in value.split()]
            elif word in VALUES:
                setattr(self, VALUES[word], value)
            else:
                at = self.take_list(words, at, self.targets if word == "--bitbake-target" else self.bitbake)

    def take_list(self, words, at, into):
        """Takes values up to the next option. One single value at the very end is read again as an option: a habit of the real one."""
        into += words[at - 1].split()
        if at == len(words):
            raise UsageError(f"Unrecognized option {words[at - 1]}.")
        while at < len(words) and not words[at].startswith("-"):
            into += words[at].split()
            at += 1
        return at
