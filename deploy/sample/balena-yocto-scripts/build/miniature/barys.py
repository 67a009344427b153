"""The miniature's `barys`: prepares build/conf and runs the miniature's bitbake for every manifest of the machine."""
import fcntl
import os
import shutil
import signal
import sys
import time

import configuration
import manifests
from arguments import Arguments, Help, UsageError
from console import Console
from diskimage import ImageError
from faults import FaultError, Faults
from images import SUPERVISOR
from machines import Machine
from parsing import ParseCache
from recipes import RecipeError, recipe_files
from tasks import Run

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
# What OE's sanity check says of a path with one of these.
CHARACTERS = {"+": "Error, you have an invalid character (+) in your COREBASE directory path. Please move the installation to a directory which doesn't "
              "include any + characters.",
              "@": "Error, you have an invalid character (@) in your COREBASE directory path. Please move the installation to a directory which doesn't "
              "include any @ characters."}
# The fixed time that OE gives to files whose source has none.
EPOCH = 1302044400


def insane(console, problem):
    """A complaint of OE's sanity check; gives bitbake's exit status."""
    console.bitbake("ERROR:  OE-core's config sanity checker detected a potential misconfiguration.",
                    "    Either fix the cause of this error or at your own risk disable the checker (see sanity.conf).",
                    "    Following is the list of potential problems / advisories:", "", f"    {problem}", "",
                    "Summary: There was 1 ERROR message, returning a non-zero exit code.")
    return 1


def context(arguments, settings, machine, file, document, arch):
    with open(os.path.join(ROOT, "VERSION"), encoding="utf-8") as source:
        version = source.read().strip()
    return {"MACHINE": machine.name, "VERSION": version, "SLUG": document["slug"] if document else "unknown", "ARCH": arch, "FILE": file,
            "SUPERVISOR": arguments.supervisor or SUPERVISOR, "DEVELOPMENT": str(int(arguments.development)), "EPOCH": EPOCH,
            "ACME_CHANNEL": settings.get("ACME_CHANNEL", "")}


def bitbake(arguments, build, machine_name, file, document, arch, targets, console, faults):
    if os.geteuid() == 0:
        return insane(console, "Do not use Bitbake as root.")
    for character, problem in CHARACTERS.items():
        if character in ROOT:
            return insane(console, problem)
    if tool := faults.one("hosttool"):
        console.bitbake("ERROR: The following required tools (as specified by HOSTTOOLS) appear to be unavailable in PATH, please install them in order "
                        "to proceed:", f"  {tool}")
        return 1
    settings = configuration.variables(build)
    downloads = settings.get("DL_DIR", "${TOPDIR}/downloads").replace("${TOPDIR}", build)
    sstate = settings.get("SSTATE_DIR", "${TOPDIR}/sstate-cache").replace("${TOPDIR}", build)
    for directory in (downloads, sstate, os.path.join(build, "tmp")):
        os.makedirs(directory, exist_ok=True)
    try:
        machine = Machine(ROOT, machine_name)
        words = arguments.bitbake + (["-k"] if getattr(arguments, "continue") else [])
        seconds = float(os.environ.get("MINIATURE_PARSE_SECONDS") or faults.seconds("parse"))
        recipes = ParseCache(ROOT, build, machine, settings, words).load(recipe_files(ROOT), seconds, faults.one("parse-error"), console.bitbake)
        run = Run(ROOT, build, machine, document, recipes, console, faults, downloads, sstate,
                  context(arguments, settings, machine, file, document, arch))
        return run.start(targets, words)
    except (RecipeError, ImageError, OSError) as error:
        text = str(error) if "ERROR: " in str(error) else f"ERROR: {error}"
        count = text.count("ERROR: ")
        console.bitbake(*text.split("\n"), "", f"Summary: There {'were' if count > 1 else 'was'} {count} ERROR message{'s' if count > 1 else ''}, "
                        "returning a non-zero exit code.")
        return 1


def embedded(arguments, machine, documents):
    """DEVICE_TYPE, which is the machine if it is not set, and the document of the file of that name; None if there is none. A slug is no file name."""
    wanted = dict(arguments.variables).get("DEVICE_TYPE", machine)
    return wanted, documents.get(wanted)


def build_one(arguments, build, machine, file, documents, console, built):
    """One manifest; gives barys' exit status. `built` holds the targets that were begun before."""
    document = documents[file]
    faults = Faults(ROOT, {machine, file, document["slug"]})
    targets = arguments.targets or (document["yocto"].get("image") or "").split()
    if not targets:
        raise UsageError(f"No target image defined for {machine}.")
    for target in targets:
        if (machine, target) in built:
            # The other targets are left out, too: a habit of the real one.
            console.barys(f"Build for {machine}-{target} already done.")
            return 0
        built.add((machine, target))
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


def closing(arguments, selected, documents, console):
    """Where the images are, once for each machine and image; said after a failure, too."""
    if arguments.targets:
        return
    told = set()
    for machine in selected:
        for document in documents.values():
            image, fstype = document["yocto"].get("image"), document["yocto"].get("fstype")
            if document["yocto"]["machine"] != machine or (machine, image) in told:
                continue
            told.add((machine, image))
            if not image or not fstype:
                console.barys(f"No target image and/or fstype defined for {machine}. This is normal for generic builds which don't generate raw images.",
                              "WARNING")
                continue
            console.barys(f"If build for {machine} succeeded, final image should have been generated here:")
            console.barys(f"   {arguments.build_name}/tmp/deploy/images/{machine}/{image}-{machine}.{fstype}")


def prepare(words, console):
    """Manifests and command line; gives the documents by file name, and the arguments."""
    if any(character.isspace() for character in ROOT):
        # The real one's words fall apart there, and it does not find its own parts.
        console.plain(f"barys: line 173: {os.path.dirname(ROOT.split()[0])}/build-device-type-json.sh: No such file or directory")
        raise UsageError("Could not generate .json file(s).")
    console.plain("Building JSON manifest...")
    documents = manifests.generate(ROOT)
    console.plain("...Done")
    return documents, Arguments(words, {document["yocto"]["machine"] for document in documents.values()})


def start(documents, arguments, words, console):
    build = os.path.join(ROOT, arguments.build_name)
    yes = {True: "yes", False: "no"}
    if arguments.log:
        console.start_log([
            f"Script called from: {os.getcwd()}", f"Script called as: barys {' '.join(words)}", f"Selected machines:  {' '.join(arguments.machines)}",
            f"Selected bitbake arguments:  {' '.join(arguments.bitbake)}", f"Build directory name: {arguments.build_name}",
            f"Remove build directory? {yes[arguments.remove_build]}", f"Compressed image? {yes[arguments.compress]}",
            f"Shared downloads directory: {arguments.downloads}", f"Shared sstate directory: {arguments.sstate}",
            f"Custom templates path: {arguments.templates}", f"Development image? {yes[arguments.development]}",
            f"Forced supervisor image release version: {arguments.supervisor}", f"Inherit rm_work? {yes[arguments.rm_work]}",
            f"Enable build history? {yes[arguments.build_history]}"])
    if arguments.remove_build:
        console.barys(f"Removing old build in {build}.")
        console.barys("This might take a while ...")
        shutil.rmtree(build, ignore_errors=True)
    configuration.configure(ROOT, arguments, build, documents, console.plain)
    console.barys(f"BalenaOS build initialized in directory: {arguments.build_name}.")
    status = 0
    if arguments.dry_run:
        console.barys("Dry run requested so don't start builds.")
        console.barys("Don't forget to setup build MACHINE as this script ignores it in dry run mode.", "WARNING")
    else:
        selected = arguments.machines or sorted({document["yocto"]["machine"] for document in documents.values()})
        built = set()
        with open(os.path.join(build, "bitbake.lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for machine in selected:
                for file in [file for file, document in documents.items() if document["yocto"]["machine"] == machine]:
                    status = max(status, build_one(arguments, build, machine, file, documents, console, built))
        closing(arguments, selected, documents, console)
    console.barys("Done.")
    console.stop_log()
    return status


def main(words):
    console = Console("barys")
    try:
        return start(*prepare(words, console), words, console)
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
