"""build/conf, as barys leaves it: made from the samples of the device layer once, and changed line by line at each run."""
import glob
import os
import re

ADDED = "\n# Barys: Additional variables\n"


def samples(root, arguments):
    """The directory of the layer's samples. Several layers may have some; the highest BBFILE_PRIORITY wins."""
    if arguments.templates:
        return os.path.join(root, arguments.templates) if arguments.templates.startswith("layers/") else arguments.templates
    found = sorted(glob.glob(os.path.join(root, "layers/meta-balena*/**/bblayers.conf.sample"), recursive=True))
    return os.path.dirname(found[-1])


def write_notes(directory, documents):
    """conf-notes.txt, which barys writes into the layer at each run; gives its text."""
    images = sorted({image for each in documents.values() for image in (each["yocto"].get("image") or "").split()})
    boards = [f"{each['name']:<40} : $ MACHINE={each['yocto']['machine']} bitbake {each['yocto'].get('image') or ''}" for each in documents.values()]
    text = "\nbalenaOS, the miniature\n\nResin specific images available:\n" + "".join(f"\t{image}\n" for image in images) + "\n" + "\n".join(boards) + "\n\n"
    with open(os.path.join(directory, "conf-notes.txt"), "w", encoding="utf-8") as file:
        file.write(text)
    return text


def configure(root, arguments, build, documents, say):
    """Makes what is missing of build/conf and changes local.conf."""
    directory = samples(root, arguments)
    notes = write_notes(directory, documents)
    os.makedirs(os.path.join(build, "conf"), exist_ok=True)
    is_new = False
    for name in ("local.conf", "bblayers.conf"):
        path = os.path.join(build, "conf", name)
        if os.path.exists(path):
            continue
        is_new = True
        with open(os.path.join(directory, name + ".sample"), encoding="utf-8") as source, open(path, "w", encoding="utf-8") as file:
            file.write(source.read())
        say(f"You had no conf/{name} file. This configuration file has therefore been", f"created for you from {directory}/{name}.sample")
    if is_new:
        say(*notes.splitlines())
    path = os.path.join(build, "conf/local.conf")
    with open(path, encoding="utf-8") as file:
        text = changed(file.read(), arguments)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def changed(text, arguments):
    """local.conf with the arguments in it. What an earlier run set and this one does not mention stays, but for the additional variables."""
    replacements = [(r".*OS_DEVELOPMENT =.*", f'OS_DEVELOPMENT = "{int(arguments.development)}"')]
    if arguments.compress:
        replacements.append((r".*BALENA_RAW_IMG_COMPRESSION \?=.*", 'BALENA_RAW_IMG_COMPRESSION ?= "xz"'))
    if arguments.rm_work:
        replacements.append((r'.*INHERIT \+= "rm_work".*', 'INHERIT += "rm_work"'))
    if arguments.downloads:
        replacements.append((r".*DL_DIR \?=.*", f'DL_DIR ?= "{arguments.downloads}"'))
    if arguments.sstate:
        replacements.append((r".*SSTATE_DIR \?=.*", f'SSTATE_DIR ?= "{arguments.sstate}"'))
    if arguments.supervisor and "SUPERVISOR_VERSION ?=" in text:
        replacements.append((r".*SUPERVISOR_VERSION \?=.*", f'SUPERVISOR_VERSION ?= "{arguments.supervisor}"'))
    elif arguments.supervisor:
        # Behind the variables of an earlier run, with which it is cut off again: a habit of the real one.
        text += f'SUPERVISOR_VERSION ?= "{arguments.supervisor}"\n'
    for pattern, line in replacements:
        text = re.sub(pattern, lambda _, line=line: line, text)
    text = text.split(ADDED)[0] + ADDED
    if arguments.build_history:
        text += 'INHERIT += "buildhistory"\nBUILDHISTORY_COMMIT = "1"\n'
    return text + "".join(f'{name}="{value}"\n' for name, value in arguments.variables)


def variables(build):
    """What local.conf sets, by name; the last line of a name counts, and `?=` only where nothing else sets it."""
    firm, weak = {}, {}
    with open(os.path.join(build, "conf/local.conf"), encoding="utf-8") as file:
        for line in file:
            match = re.match(r'([A-Za-z0-9_-]+)\s*(\??)=\s*"(.*)"\s*$', line)
            if match and match[2]:
                weak.setdefault(match[1], match[3])
            elif match:
                firm[match[1]] = match[3]
    return {**weak, **firm}
