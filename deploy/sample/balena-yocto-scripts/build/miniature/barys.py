"""The miniature's `barys`: prepares build/conf and runs the miniature's bitbake for every manifest of the machine."""
import fcntl
import os
import re
import shutil
import signal
import sys
import time

import manifests
from arguments import Arguments, Help, UsageError
from console import Console
from diskimage import ImageError
from faults import FaultError, Faults
from images import SUPERVISOR
from machines import Machine
from recipes import RecipeError, find_recipes
from tasks import Run

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
# The fixed time that OE gives to files whose source has none.
EPOCH = 1302044400


def configure(arguments, build):
    """Writes build/conf from the samples of the device layer."""
    layers = sorted(name for name in os.listdir(os.path.join(ROOT, "layers")) if name.startswith("meta-balena-"))
    samples = arguments.templates or os.path.join(ROOT, "layers", layers[0], "conf/samples")
    os.makedirs(os.path.join(build, "conf"), exist_ok=True)
    shutil.copyfile(os.path.join(samples, "bblayers.conf.sample"), os.path.join(build, "conf/bblayers.conf"))
    with open(os.path.join(samples, "local.conf.sample"), encoding="utf-8") as file:
        text = file.read()
    replacements = [(r'.*DEVELOPMENT_IMAGE =.*', f'DEVELOPMENT_IMAGE = "{int(arguments.development)}"')]
    if arguments.rm_work:
        replacements.append((r'.*INHERIT \+= "rm_work".*', 'INHERIT += "rm_work"'))
    if arguments.downloads:
        replacements.append((r".*DL_DIR \?=.*", f'DL_DIR ?= "{arguments.downloads}"'))
    if arguments.sstate:
        replacements.append((r".*SSTATE_DIR \?=.*", f'SSTATE_DIR ?= "{arguments.sstate}"'))
    for pattern, line in replacements:
        text = re.sub(pattern, lambda _, line=line: line, text)
    if arguments.supervisor:
        text += f'SUPERVISOR_VERSION ?= "{arguments.supervisor}"\n'
    text += "\n# Barys: Additional variables\n"
    if arguments.build_history:
        text += 'INHERIT += "buildhistory"\n'
    for pair in arguments.variables:
        name, _, value = pair.partition("=")
        text += f'{name}="{value}"\n'
    with open(os.path.join(build, "conf/local.conf"), "w", encoding="utf-8") as file:
        file.write(text)


def context(arguments, machine, file, document, arch):
    with open(os.path.join(ROOT, "VERSION"), encoding="utf-8") as source:
        version = source.read().strip()
    return {"MACHINE": machine.name, "VERSION": version, "SLUG": document["slug"] if document else "unknown", "ARCH": arch, "FILE": file,
            "SUPERVISOR": arguments.supervisor or SUPERVISOR, "DEVELOPMENT": str(int(arguments.development)), "EPOCH": EPOCH}


def bitbake(arguments, build, machine_name, file, document, arch, targets, console, faults):
    if os.geteuid() == 0:
        console.bitbake("ERROR:  OE-core's config sanity checker detected a potential misconfiguration.", "    Do not use Bitbake as root.", "",
                        "Summary: There was 1 ERROR message, returning a non-zero exit code.")
        return 1
    downloads = arguments.downloads or os.path.join(build, "downloads")
    sstate = arguments.sstate or os.path.join(build, "sstate-cache")
    for directory in (downloads, sstate, os.path.join(build, "tmp")):
        os.makedirs(directory, exist_ok=True)
    try:
        machine = Machine(ROOT, machine_name)
        run = Run(ROOT, build, machine, document, find_recipes(ROOT), console, faults, downloads, sstate, context(arguments, machine, file, document, arch))
        words = arguments.bitbake + (["-k"] if getattr(arguments, "continue") else [])
        return run.start(targets, words, arguments.task)
    except (RecipeError, ImageError) as error:
        console.bitbake(f"ERROR: {error}", "", "Summary: There was 1 ERROR message, returning a non-zero exit code.")
        return 1


def embedded(arguments, machine, documents):
    """DEVICE_TYPE, which is the machine if it is not set, and the document of the file of that name; None if there is none. A slug is no file name."""
    wanted = dict(pair.split("=", 1) for pair in arguments.variables if "=" in pair).get("DEVICE_TYPE", machine)
    return wanted, documents.get(wanted)


def build_one(arguments, build, machine, file, documents, console):
    """One manifest; gives barys' exit status."""
    document = documents[file]
    faults = Faults(ROOT, {machine, file, document["slug"]})
    targets = arguments.targets or (document["yocto"].get("image") or "").split()
    if not targets:
        raise UsageError(f"No target image defined for {machine}.")
    words = arguments.bitbake + (["-k"] if getattr(arguments, "continue") else [])
    console.barys(f"Run build for {machine}: MACHINE={machine} bitbake {' '.join(targets)} {' '.join(words)}")
    console.barys("This might take a while ...")
    console.open_cooker(build, machine)
    if faults.one("lie") == "stale":
        time.sleep(faults.seconds("slow"))
        console.barys(f"Build for {machine} suceeded.")
        return 0
    status = bitbake(arguments, build, machine, *embedded(arguments, machine, documents), document["arch"], targets, console, faults)
    if status == 0:
        console.barys(f"Build for {machine} suceeded.")
        return 0
    if faults.one("lie") != "quiet":
        console.barys(f"Build for {machine} failed. Check failed log in {arguments.build_name}/tmp/log/cooker/{machine} .")
    return 0 if faults.one("lie") else 2


def main(words):
    console = Console("barys")
    try:
        documents = manifests.generate(ROOT)
        arguments = Arguments(words, {document["yocto"]["machine"] for document in documents.values()})
        build = os.path.join(ROOT, arguments.build_name)
        if arguments.log:
            console.start_log([f"Script called from: {os.getcwd()}", f"Script called as: barys {' '.join(words)}", f"Selected machines: {' '.join(arguments.machines)}",
                               f"Build directory name: {arguments.build_name}", f"Shared downloads directory: {arguments.downloads}",
                               f"Shared sstate directory: {arguments.sstate}"])
        if arguments.remove_build:
            console.barys(f"Removing old build in {build}.")
            shutil.rmtree(build, ignore_errors=True)
        configure(arguments, build)
        console.barys(f"BalenaOS build initialized in directory: {arguments.build_name}.")
        status = 0
        if arguments.dry_run:
            console.barys("Dry run requested so don't start builds.")
            console.barys("Don't forget to setup build MACHINE as this script ignores it in dry run mode.", "WARNING")
        with open(os.path.join(build, "bitbake.lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            selected = arguments.machines or sorted({document["yocto"]["machine"] for document in documents.values()})
            for machine in [] if arguments.dry_run else selected:
                for file, document in documents.items():
                    if document["yocto"]["machine"] != machine:
                        continue
                    if arguments.skip_discontinued and document["state"] == "DISCONTINUED":
                        console.barys(f"Skip discontinued requested: build for {machine} skipped.", "WARNING")
                        continue
                    status = max(status, build_one(arguments, build, machine, file, documents, console))
        console.barys("Done.")
        return status
    except Help as text:
        print(text)
        return 0
    except (UsageError, FaultError) as error:
        console.barys(str(error), "ERROR")
    except manifests.ManifestError as error:
        print(f"error: {error}")
        console.barys("Could not generate .json file(s).", "ERROR")
    return 1


if __name__ == "__main__":
    # A console that nobody reads any more ends the build, as it ends a shell script.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main(sys.argv[1:]))
