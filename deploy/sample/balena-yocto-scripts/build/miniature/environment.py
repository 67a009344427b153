"""What `bitbake -e` prints: every variable with where it was set, then its value."""


def lines(machine, build, downloads, sstate, target):
    top = build
    conf = f"{top}/../layers/poky/meta/conf/bitbake.conf"
    variables = {
        "DEPLOY_DIR": f"{top}/tmp/deploy",
        "DEPLOY_DIR_IMAGE": f"{top}/tmp/deploy/images/{machine.name}",
        "DEPLOY_DIR_IPK": f"{top}/tmp/deploy/ipk",
        "DISTRO": "balena-os",
        "DISTRO_CODENAME": machine.codename,
        "DISTRO_VERSION": machine.distro_version,
        "DEFAULTTUNE": machine.values["DEFAULTTUNE"],
        "DL_DIR": downloads,
        "MACHINE": machine.name,
        "MACHINE_ARCH": machine.package_arch,
        "PACKAGE_ARCHS": " ".join(machine.package_archs),
        "PACKAGE_CLASSES": "package_ipk",
        "PACKAGE_EXTRA_ARCHS": " ".join(machine.extra_archs),
        "PN": target,
        "SSTATE_DIR": sstate,
        "TMPDIR": f"{top}/tmp",
        "TOPDIR": top,
        "TUNE_PKGARCH": machine.tune_pkgarch,
    }
    yield from ("#", "# INCLUDE HISTORY:", "#", f"# {top}/conf/bblayers.conf", "# conf/bitbake.conf includes:", f"#   {top}/conf/local.conf",
                f"#   {machine.path}", "")
    for number, (name, value) in enumerate(variables.items()):
        yield f"# ${name} [2 operations]"
        yield from (f"#   set? {conf}:{100 + number}", f'#     "{value}"', "# pre-expansion value:", f'#   "{value}"', f'{name}="{value}"')
