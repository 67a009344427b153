"""One bitbake run of the miniature: which tasks the targets need, what shared state saves, and running them in order."""
import os
import shutil
import subprocess
import sys
import tarfile
import time
import uuid

import environment
import ipk
from images import ImageBuild

STEPS = ("fetch", "unpack", "prepare_recipe_sysroot", "patch", "deploy_source_date_epoch", "populate_lic", "configure", "compile", "install",
         "package", "packagedata", "package_write_ipk", "package_qa", "populate_sysroot")
SETSCENE = ("package_qa", "package_write_ipk", "populate_lic", "packagedata", "populate_sysroot")
IMAGE_STEPS = ("rootfs", "image", "image_docker", "image_complete", "populate_lic_deploy")
SIGN_OF_FORMAT = "miniature 1"


class Run:
    def __init__(self, root, build, machine, document, recipes, console, faults, downloads, sstate, context):
        self.root, self.build, self.machine, self.document = root, build, machine, document
        self.recipes, self.console, self.faults = recipes, console, faults
        self.downloads, self.sstate, self.context = downloads, sstate, context
        self.deploy = os.path.join(build, "tmp/deploy")
        self.stamps = os.path.join(build, "tmp/stamps", machine.name)
        self.failed, self.number, self.errors = [], 0, 0

    def start(self, targets, arguments):
        """Builds the targets; gives bitbake's exit status."""
        say = self.console.bitbake
        for target in targets:
            if target not in self.recipes and target != "package-index":
                say(f"ERROR: Nothing PROVIDES '{target}'", "", "Summary: There was 1 ERROR message, returning a non-zero exit code.")
                return 1
        say("NOTE: Resolving any missing task queue dependencies")
        if unprovided := self.unprovided(targets):
            name, chain = unprovided
            say(f"ERROR: Nothing PROVIDES '{name}' (but {self.recipes[chain[-1]].path} DEPENDS on or otherwise requires it)",
                f"ERROR: Required build target '{chain[0]}' has no buildable providers.",
                f"Missing or unbuildable dependency chain was: {[*chain, name]}", "",
                "Summary: There were 2 ERROR messages, returning a non-zero exit code.")
            return 1
        if "-e" in arguments:
            say(*environment.lines(self.machine, self.build, self.downloads, self.sstate, targets[0]))
            return 0
        try:
            more = self.post_read(arguments)
        except OSError as error:
            say(f"ERROR: Unable to parse {error.filename}: [Errno {error.errno}] {error.strerror}: '{error.filename}'")
            return 1
        say("", *self.configuration(more), "", "Initialising tasks...done.")
        return self.execute(targets, "-k" in arguments)

    def unprovided(self, targets):
        """A name in DEPENDS that no recipe has, with the recipes that lead to it; None if all are there."""
        known = set()

        def search(name, chain):
            if name not in self.recipes:
                return None if name in targets else (name, chain)
            if name in known:
                return None
            known.add(name)
            found = (search(needed, [*chain, name]) for needed in self.recipes[name].values.get("DEPENDS", "").split())
            return next((each for each in found if each), None)

        return next((found for target in targets if (found := search(target, []))), None)

    def post_read(self, arguments):
        """The variables that files of `-R` add to the build's header. Nothing else in such a file has an effect here."""
        names = []
        for option, path in zip(arguments, arguments[1:]):
            if option == "-R":
                with open(path, encoding="utf-8") as file:
                    names += [name for line in file if line.startswith("BUILDCFG_VARS +=") for name in line.split('"')[1].split()]
        return names

    def configuration(self, more=()):
        machine = self.machine
        commit = subprocess.run(["git", "-C", self.root, "rev-parse", "HEAD"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        revision = f"HEAD:{commit.stdout.decode().strip()}" if commit.returncode == 0 else "<unknown>:<unknown>"
        values = {"BB_VERSION": machine.bitbake_version, "BUILD_SYS": f"{os.uname().machine}-linux", "NATIVELSBSTRING": "miniature",
                  "TARGET_SYS": f"{machine.target_arch}-poky-linux" + ("-gnueabi" if machine.target_arch == "arm" else ""), "MACHINE": machine.name,
                  "DISTRO": "balena-os", "DISTRO_VERSION": machine.distro_version, "TUNE_FEATURES": machine.values["DEFAULTTUNE"],
                  "TARGET_FPU": "hard" if machine.target_arch == "arm" else ""}
        known = {"PACKAGE_ARCHS": " ".join(machine.package_archs), "PACKAGE_CLASSES": "package_ipk"}
        values |= {name: known[name] for name in more if name in known}
        layers = sorted(os.listdir(os.path.join(self.root, "layers")))
        return ["Build Configuration:", *(f'{key:<20} = "{value}"' for key, value in values.items()), *(f'{layer:<20} = "{revision}"' for layer in layers)]

    def closure(self, targets):
        order = []

        def visit(name):
            if name in order or name not in self.recipes:
                return
            for needed in self.recipes[name].values.get("DEPENDS", "").split():
                visit(needed)
            order.append(name)

        for target in targets:
            visit(target)
        return [self.recipes[name] for name in order]

    def key(self, recipe):
        """Digest of all that decides what a recipe makes."""
        parts = [SIGN_OF_FORMAT, self.faults.signature]
        if any(package.arch_kind != "all" for package in recipe.packages) or recipe.image:
            parts.append(self.machine.signature)
        if recipe.image or recipe.values.get("MINIATURE_CONTEXT"):
            parts += [sorted(self.context.items()), self.document if recipe.image else ""]
        parts += [self.key(self.recipes[name]) for name in recipe.values.get("DEPENDS", "").split()]
        return recipe.signature(*parts)

    def state_path(self, recipe, key):
        return os.path.join(self.sstate, key[:2], key[2:4], f"sstate:{recipe.name}:{self.machine.package_arch}:{recipe.version}:{recipe.revision}::10:{key}_package_write_ipk.tar.zst")

    def stamp_path(self, recipe, key):
        return os.path.join(self.stamps, recipe.name, f"{recipe.version}-{recipe.revision}.do_build.{key}")

    def execute(self, targets, goes_on):
        say, order = self.console.bitbake, self.closure(targets)
        plan = []
        for recipe in order:
            key = self.key(recipe)
            state = "current" if os.path.exists(self.stamp_path(recipe, key)) else "local" if os.path.exists(self.state_path(recipe, key)) else "missed"
            plan.append((recipe, key, "missed" if state == "local" and self.fails(recipe) else state))
        count = {state: sum(len(SETSCENE) for _, _, each in plan if each == state) for state in ("current", "local", "missed")}
        index = "package-index" in targets
        wanted, current = count["local"] + count["missed"], count["current"] + (2 if index else 0)
        match = count["local"] * 100 // wanted if wanted else 0
        complete = (count["local"] + current) * 100 // (wanted + current) if current else 0
        say(f"Sstate summary: Wanted {wanted} Local {count['local']} Mirrors 0 Missed {count['missed']} Current {current} ({match}% match, {complete}% complete)",
            "NOTE: Executing Tasks")
        sizes = [len(IMAGE_STEPS if recipe.image else STEPS) + 1 for recipe, _, _ in plan]
        self.total = sum(sizes) + (11 if index else 0)
        self.pause = self.faults.seconds("slow") / max(1, sum(size for size, (_, _, state) in zip(sizes, plan) if state == "missed"))
        self.quiet()
        ran = 0
        if index:
            # In the same run as packages the index is made first, of what lies there before them: nothing, on a clean tree.
            self.number += 9
            self.package_index()
            ran += 2
        for (recipe, key, state), size in zip(plan, sizes):
            if self.failed and (not goes_on or self.depends_on_failed(recipe)):
                break
            if state == "current":
                self.number += size
                continue
            ran += 1 if state == "local" else size
            if state == "local":
                self.restore(recipe, key)
                self.number += size - 1
            elif not self.build_recipe(recipe, key):
                continue
            self.finish(recipe, key)
        attempted = self.total if not self.failed else self.number
        verdict = f"{len(self.failed)} failed" if self.failed else "all succeeded"
        say(f"NOTE: Tasks Summary: Attempted {attempted} tasks of which {max(0, attempted - ran)} didn't need to be rerun and {verdict}.")
        if not self.failed:
            return 0
        plural = "s" if len(self.failed) > 1 else ""
        say("", f"Summary: {len(self.failed)} task{plural} failed:", *(f"  {task}" for task in self.failed),
            f"Summary: There {'were' if self.errors > 1 else 'was'} {self.errors} ERROR message{'s' if self.errors > 1 else ''}, "
            "returning a non-zero exit code.")
        return 1

    def depends_on_failed(self, recipe):
        return any(task.startswith(each.path + ":") for task in self.failed for each in self.closure([recipe.name]))

    def fails(self, recipe):
        return any(recipe.name in self.faults.all(kind) for kind in ("fail", "qa", "fetch"))

    def quiet(self):
        if kind := self.faults.one("hang"):
            if kind == "setsid":
                subprocess.Popen(["sleep", "86400"], start_new_session=True, stdin=subprocess.DEVNULL)
            self.wait(86400)
        self.wait(self.faults.seconds("silent"))

    def wait(self, seconds):
        """Without an event; every ten minutes bitbake says that it is still there, which is no sign of life of the task."""
        interval = self.faults.seconds("alive") or 600
        while seconds > 0:
            time.sleep(min(interval, seconds))
            seconds -= interval
            if seconds > 0:
                task = f"{min(recipe.path for recipe in self.recipes.values())}:do_compile"
                self.console.bitbake(f"Bitbake still alive (no events for {interval:.0f}s). Active tasks:", task)

    def announce(self, recipe, task, kind="task"):
        self.number += 1
        self.console.bitbake(f"NOTE: Running {kind} {self.number} of {self.total} ({recipe.path}:do_{task})")

    def mark(self, recipe, task, state):
        self.console.bitbake(f"NOTE: recipe {recipe.full_name}: task do_{task}: {state}")

    def build_recipe(self, recipe, key):
        steps = IMAGE_STEPS if recipe.image else STEPS
        for task in steps:
            self.announce(recipe, task)
            self.mark(recipe, task, "Started")
            time.sleep(self.pause)
            if task == "fetch" and recipe.name in self.faults.all("fetch"):
                url = f"https://downloads.example.org/{recipe.name}-{recipe.version}.tar.gz"
                self.fail_in_python(recipe, task, f"Fetcher failure for URL: '{url}'. Unable to fetch URL from any source.")
                return False
            if task == "package" and recipe.name in self.faults.all("qa"):
                self.fail_in_python(recipe, task, f"QA Issue: {recipe.name}: Files/directories were installed but not shipped in any package:\n  /opt/acme\n"
                                    "Please set FILES such that these items are packaged. Alternatively if they are unneeded, avoid installing them or delete "
                                    f"them within do_install.\n{recipe.name}: 1 installed and not shipped files. [installed-vs-shipped]",
                                    "Fatal QA errors were found, failing task.")
                return False
            if task == ("rootfs" if recipe.image else "compile") and recipe.name in self.faults.all("fail"):
                self.fail(recipe, task)
                return False
            # image-balena.bbclass reads the slug from <repository>/<DEVICE_TYPE>.json.
            if task == "rootfs" and recipe.image in ("plain", "flasher") and self.document is None:
                path = os.path.join(self.root, self.context["FILE"] + ".json")
                self.fail(recipe, task, f"jq: error: Could not open file {path}: No such file or directory")
                return False
            if task == "fetch" and any(part in self.root for part in self.faults.all("no-fetch")):
                source = f"https://downloads.example.org/{recipe.name}-{recipe.version}.tar.gz"
                self.fail(recipe, task, "wget: unable to resolve host address 'downloads.example.org'",
                          f"Bitbake Fetcher Error: FetchError('Unable to fetch URL from any source.', '{source}')")
                return False
            if task == "fetch":
                open(os.path.join(self.downloads, f"{recipe.name}-{recipe.version}.tar.gz.done"), "w", encoding="utf-8").close()
            elif task == "populate_lic" or task == "populate_lic_deploy":
                self.licenses(recipe)
            elif task == "package_write_ipk":
                self.package(recipe, key)
            elif task == "image":
                ImageBuild(self.root, self.build, self.machine, self.document, self.context, self.faults).make(recipe)
            self.mark(recipe, task, "Succeeded")
        return True

    def finish(self, recipe, key):
        self.announce(recipe, "build", "noexec task")
        path = self.stamp_path(recipe, key)
        shutil.rmtree(os.path.dirname(path), ignore_errors=True)
        os.makedirs(os.path.dirname(path))
        open(path, "w", encoding="utf-8").close()

    def work(self, recipe):
        path = os.path.join(self.build, "tmp/work", f"{self.machine.tune_pkgarch}-poky-linux", recipe.name, f"{recipe.version}-{recipe.revision}", "temp")
        os.makedirs(path, exist_ok=True)
        return path

    def fail(self, recipe, task, reason=None, error=None):
        """The end of a shell task: its log follows."""
        log, script = (os.path.join(self.work(recipe), f"{kind}.do_{task}.{os.getpid()}") for kind in ("log", "run"))
        body = [f"DEBUG: Executing shell function do_{task}", reason or f"{recipe.name}: the miniature was told to fail here", "WARNING: exit code 1 from a shell command."]
        with open(log, "w", encoding="utf-8") as file:
            file.write("\n".join(body) + "\n")
        error = error or f"ExecutionError('{script}', 1, None, None)"
        self.console.bitbake(f"ERROR: {recipe.full_name} do_{task}: {error}",
                             f"ERROR: Logfile of failure stored in: {log}", "Log data follows:", *("| " + line for line in body))
        self.end_failed(recipe, task)

    def fail_in_python(self, recipe, task, *errors):
        """The end of a Python task: what it said is an error of its own, and no log follows."""
        log = os.path.join(self.work(recipe), f"log.do_{task}.{os.getpid()}")
        with open(log, "w", encoding="utf-8") as file:
            file.write("".join(f"ERROR: {error}\n" for error in errors))
        self.console.bitbake(*(line for error in errors for line in f"ERROR: {recipe.full_name} do_{task}: {error}".split("\n")),
                             f"ERROR: Logfile of failure stored in: {log}")
        self.errors += len(errors) - 1
        self.end_failed(recipe, task)

    def end_failed(self, recipe, task):
        self.mark(recipe, task, "Failed")
        self.console.bitbake(f"ERROR: Task ({recipe.path}:do_{task}) failed with exit code '1'")
        self.failed.append(f"{recipe.path}:do_{task}")
        self.errors += 1

    def licenses(self, recipe):
        directory = os.path.join(self.deploy, "licenses", recipe.name)
        os.makedirs(directory, exist_ok=True)
        with open(os.path.join(directory, "recipeinfo"), "w", encoding="utf-8") as file:
            file.write(f"LICENSE: {recipe.license}\nPR: {recipe.revision}\nPV: {recipe.version}\n")
        common = os.path.join(self.root, "layers/meta-balena/files/common-licenses", recipe.license)
        shutil.copyfile(common, os.path.join(directory, "LICENSE"))
        link = os.path.join(directory, f"generic_{recipe.license}")
        if not os.path.lexists(link):
            os.symlink(common, link)

    def package(self, recipe, key):
        """Writes the recipe's packages below deploy/ipk and into the shared state."""
        made = []
        for package in recipe.packages:
            if package.name in self.faults.all("missing-package"):
                continue
            name, data = ipk.build(package, self.machine, self.context)
            if package.name in self.faults.all("broken-archive"):
                data = data[:-2000] + bytes(2000)
            directory = os.path.join(self.deploy, "ipk", package.arch(self.machine))
            os.makedirs(directory, exist_ok=True)
            path = os.path.join(directory, name)
            with open(path, "wb") as file:
                file.write(data)
            made.append((package.arch(self.machine) + "/" + name, path))
        state = self.state_path(recipe, key)
        os.makedirs(os.path.dirname(state), exist_ok=True)
        # Process numbers repeat: each build may have its own.
        partial = f"{state}.{uuid.uuid4()}"
        with subprocess.Popen(["zstd", "-q", "-1", "-f", "-o", partial], stdin=subprocess.PIPE) as process:
            with tarfile.open(fileobj=process.stdin, mode="w|") as archive:
                for inside, path in made:
                    archive.add(path, inside)
        os.replace(partial, state)

    def restore(self, recipe, key):
        for task in SETSCENE:
            self.announce(recipe, task + "_setscene", "setscene task")
            self.number -= 1
            self.mark(recipe, task + "_setscene", "Started")
            if task == "package_write_ipk":
                with subprocess.Popen(["zstd", "-q", "-d", "-c", self.state_path(recipe, key)], stdout=subprocess.PIPE) as process:
                    with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                        for member in archive:
                            path = os.path.join(self.deploy, "ipk", member.name)
                            os.makedirs(os.path.dirname(path), exist_ok=True)
                            with open(path, "wb") as file:
                                shutil.copyfileobj(archive.extractfile(member), file)
            elif task == "populate_lic":
                self.licenses(recipe)
            self.mark(recipe, task + "_setscene", "Succeeded")

    def package_index(self):
        """Indexes every architecture directory; then damages what it was told to damage, so that index and files disagree."""
        path = os.path.join(self.root, "layers/poky/meta/recipes-core/meta/package-index.bb")
        say, top = self.console.bitbake, os.path.join(self.deploy, "ipk")
        self.number += 1
        say(f"NOTE: Running task {self.number} of {self.total} ({path}:do_package_index)", "NOTE: recipe package-index-1.0-r0: task do_package_index: Started")
        if os.path.isdir(top):
            open(os.path.join(top, "Packages"), "w", encoding="utf-8").close()
            for arch in sorted(os.listdir(top)):
                directory = os.path.join(top, arch)
                if os.path.isdir(directory):
                    ipk.write_index(directory)
                    self.corrupt(directory)
        self.number += 1
        say("NOTE: recipe package-index-1.0-r0: task do_package_index: Succeeded", f"NOTE: Running noexec task {self.number} of {self.total} ({path}:do_build)")

    def corrupt(self, directory):
        for name in os.listdir(directory):
            if name.endswith(".ipk") and name.split("_")[0] in self.faults.all("corrupt-ipk"):
                with open(os.path.join(directory, name), "r+b") as file:
                    middle = os.fstat(file.fileno()).st_size // 2
                    file.seek(middle)
                    byte = file.read(1)
                    file.seek(middle)
                    file.write(bytes([byte[0] ^ 0xFF]))
