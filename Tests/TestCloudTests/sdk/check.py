"""Judges a running test cloud by balenaCloud's own Python SDK.

  check.py CLOUD.json     what `test-cloud --json` printed: url, registry and accounts

Each case is one of the SDK's calls with what it must give or refuse. Ends with status 1 if any fails, or if none ran.
"""

import json
import os
import sys
import tempfile
import traceback
import uuid

import balena
import requests
from balena import exceptions

CASES = []


def case(function):
    CASES.append(function)
    return function


def expect(condition, found):
    if not condition:
        raise AssertionError(f"found {found!r}")


def refused(status, call, *arguments, text=None):
    """Expects a RequestError with this status; gives its body."""
    try:
        result = call(*arguments)
    except exceptions.RequestError as error:
        expect(error.status_code == status, f"{error.status_code} {error.message}")
        if text is not None:
            expect(text in error.message, error.message)
        return error.message
    raise AssertionError(f"not refused with {status}: {result!r}")


def raises(kind, call, *arguments):
    try:
        result = call(*arguments)
    except kind:
        return
    raise AssertionError(f"no {kind.__name__}: {result!r}")


class Cloud:
    """The cloud under test, one client for each kind of credential, and what the cases make for each other."""

    def __init__(self, description):
        self.url = description["url"] + "/"
        self.registry = description["registry"]
        self.accounts = {name: description[name] for name in ("admin", "developer", "outsider")}
        self.admin = self.client()
        self.key = self.client(self.accounts["admin"]["apiKey"])
        self.outsider = self.client(self.accounts["outsider"]["apiKey"])
        self.guest = self.client("unknownkey")

    def client(self, token=None, version="v7"):
        client = balena.Balena({"data_directory": False, "api_version": version})
        client.settings.set("api_endpoint", self.url)
        client.pine.api_prefix = f"{self.url}{version}/"
        if token:
            client.auth.login_with_token(token)
        return client

    def release(self, application, **fields):
        body = {
            "belongs_to__application": application, "is_created_by__user": self.admin.auth.get_user_info()["id"], "commit": uuid.uuid4().hex,
            "composition": {"services": {"main": {"image": "sha256:aaaa"}}}, "status": "success", "source": "local",
            "start_timestamp": "2026-01-02T03:04:05.678Z", "is_final": False,
        }
        return self.admin.pine.post({"resource": "release", "body": {**body, **fields}})

    def tags(self, resource, parent, id):
        rows = self.admin.pine.get({"resource": resource, "options": {"$filter": {parent: id}, "$orderby": "tag_key asc"}})
        return {row["tag_key"]: row["value"] for row in rows}


@case
def login(cloud):
    account = cloud.accounts["admin"]
    raises(exceptions.LoginFailed, lambda: cloud.admin.auth.login(username=account["username"], password="wrong"))
    expect(not cloud.guest.auth.is_logged_in(), "an unknown key is logged in")
    cloud.admin.auth.login(username=account["username"], password=account["password"])
    expect(cloud.admin.auth.is_logged_in(), "not logged in")
    who = cloud.admin.auth.whoami()
    expect(who["actorType"] == "user" and who["username"] == "admin" and isinstance(who["id"], int), who)
    info = cloud.admin.auth.get_user_info()
    expect(info["email"] == "admin@example.com" and info["id"] == who["actorTypeId"] and info["actor"] == who["id"], info)
    expect(cloud.key.auth.whoami()["username"] == "admin", "the API key is somebody else's")


@case
def applications(cloud):
    app = cloud.admin.models.application.create("SDK-Board", "raspberrypi4-64", "balena_os", "app")
    expect(app["slug"] == "balena_os/sdk-board" and app["is_of__class"] == "app" and not app["is_public"], app)
    cloud.app = app["id"]
    for name in ("balena_os/SDK-Board", app["uuid"], app["id"]):
        expect(cloud.admin.models.application.get(name)["id"] == app["id"], name)
    options = {"$select": "slug", "$expand": {"organization": {"$select": "handle"}, "is_for__device_type": {"$select": "slug"}}}
    told = cloud.admin.models.application.get(app["id"], options)
    expect(told["organization"] == [{"handle": "balena_os"}] and told["is_for__device_type"] == [{"slug": "raspberrypi4-64"}], told)
    expect(cloud.admin.models.application.will_track_new_releases(app["id"]), "not tracking")
    refused(409, cloud.admin.models.application.create, "sdk-board", "raspberrypi4-64", "balena_os", "app", text="unique")
    refused(400, cloud.admin.models.application.create, "bad name", "raspberrypi4-64", "balena_os", "app")
    raises(exceptions.ApplicationNotFound, cloud.admin.models.application.get, "balena_os/none")
    raises(exceptions.ApplicationNotFound, cloud.admin.models.application.get, 999999)
    raises(exceptions.ApplicationNotFound, cloud.guest.models.application.get, app["id"])
    raises(exceptions.OrganizationNotFound, cloud.admin.models.application.create, "no-organization", "raspberrypi4-64", "none", "app")
    raises(exceptions.InvalidDeviceType, cloud.admin.models.application.create, "no-type", "no-such-type", "balena_os", "app")
    by_alias = cloud.admin.models.application.create("by-alias", "genericx86-64", "balena_os", "block")
    expect(cloud.admin.models.device_type.get(by_alias["is_for__device_type"]["__id"])["slug"] == "intel-nuc", by_alias)
    cloud.admin.models.application.remove(by_alias["id"])
    expect(not cloud.admin.models.application.has(by_alias["id"]), "removed and still there")
    refused(404, cloud.admin.pine.delete, {"resource": "application", "id": by_alias["id"]})


@case
def guests_and_strangers(cloud):
    body = {"app_name": "guest-app", "is_for__device_type": 1, "organization": 1}
    refused(401, cloud.guest.pine.post, {"resource": "application", "body": body})
    refused(401, cloud.outsider.pine.post, {"resource": "application", "body": body})
    refused(401, cloud.admin.pine.get, {"resource": "no_such_resource"})
    expect(cloud.outsider.pine.get({"resource": "application", "id": cloud.app}) is None, "a stranger sees a private application")
    # The administrator's API key may not do what the session may.
    public = {"resource": "application", "id": cloud.app, "body": {"is_public": True}}
    refused(401, cloud.key.pine.patch, public)
    cloud.admin.pine.patch(public)
    expect(cloud.guest.models.application.get(cloud.app, {"$select": "is_public"}) == {"is_public": True}, "not public")


@case
def versions_of_the_api(cloud):
    six = cloud.client(cloud.admin.auth.get_token(), "v6")
    expect(six.pine.patch({"resource": "application", "id": cloud.app, "body": {"is_host": True}}) == "OK", "v6 says OK")
    expect(cloud.admin.pine.patch({"resource": "application", "id": cloud.app, "body": {"is_archived": False}}) == "", "v7 says nothing")
    refused(401, six.pine.get, {"resource": "release_asset"})
    expect(cloud.admin.models.application.get(cloud.app, {"$select": "is_host"}) == {"is_host": True}, "no host application")


@case
def application_tags(cloud):
    tags = cloud.admin.models.application.tags
    tags.set(cloud.app, "release-policy", "esr")
    tags.set(cloud.app, "esr-next", "2023.1.x")
    tags.set(cloud.app, "release-policy", "it's + 100% / esr")
    found = {tag["tag_key"]: tag["value"] for tag in tags.get_all_by_application(cloud.app)}
    expect(found == {"release-policy": "it's + 100% / esr", "esr-next": "2023.1.x"}, found)
    tags.remove(cloud.app, "release-policy")
    tags.remove(cloud.app, "never-set")
    expect(list(cloud.tags("application_tag", "application", cloud.app)) == ["esr-next"], "not removed")
    tags.remove(cloud.app, "esr-next")
    refused(400, tags.set, cloud.app, "io.balena.reserved", "x")
    refused(400, tags.set, cloud.app, "white space", "x")


@case
def releases(cloud):
    model = cloud.admin.models.release
    draft = cloud.release(cloud.app, semver="2.113.14")
    expect(draft["raw_version"].startswith("2.113.14-") and draft["revision"] is None and draft["is_final"] is False, draft)
    cloud.release_id, cloud.commit = draft["id"], draft["commit"]
    expect(model.get(draft["id"])["commit"] == draft["commit"], "by id")
    expect(model.get(draft["commit"])["id"] == draft["id"], "by commit")
    pair = {"application": cloud.app, "raw_version": draft["raw_version"]}
    expect(model.get(pair)["id"] == draft["id"], "by raw version")
    raises(exceptions.ReleaseNotFound, model.get, draft["commit"][:10])
    raises(exceptions.ReleaseNotFound, model.get, 999999)
    model.finalize(draft["id"])
    model.finalize(draft["id"])
    final = model.get(draft["id"])
    expect(final["raw_version"] == "2.113.14" and final["revision"] == 0 and final["is_finalized_at__date"], final)
    second = cloud.release(cloud.app, semver="2.113.14", is_final=True)
    expect(model.get({"application": cloud.app, "raw_version": "2.113.14+rev1"})["id"] == second["id"], second)
    try:
        cloud.release(cloud.app, semver="2023.01.0")
        raise AssertionError("a bad semver is taken")
    except exceptions.RequestError as error:
        expect(error.status_code == 400, error)
    refused(400, cloud.admin.pine.patch, {"resource": "release", "id": second["id"], "body": {"is_final": False}})
    expect(model.get_latest_by_application(cloud.app)["id"] == second["id"], "latest")
    expect([row["id"] for row in model.get_all_by_application(cloud.app)] == [second["id"], draft["id"]], "order of all")
    expect(cloud.admin.models.application.get_target_release_hash(cloud.app) == second["commit"], "target")
    refused(400, cloud.admin.pine.delete, {"resource": "release", "id": second["id"]})
    model.set_is_invalidated(second["id"], True)
    expect(cloud.admin.models.application.get_target_release_hash(cloud.app) == draft["commit"], "target after invalidation")
    expect(cloud.admin.models.application.is_tracking_latest_release(cloud.app), "not tracking")
    model.set_note(draft["commit"], "a note: it's good + 100%")
    expect(model.get(draft["id"], {"$select": "note"}) == {"note": "a note: it's good + 100%"}, "note")
    model.set_known_issue_list(draft["id"], "none")
    other = cloud.release(cloud.app, semver="1.0.0")
    model.set_release_version(other["id"], "3.0.0-beta3")
    expect(model.get(other["id"])["raw_version"].startswith("3.0.0-beta3."), "version of a draft")
    # The same commit twice is ambiguous, unless both are successes.
    cloud.release(cloud.app, commit="f" * 32, status="failed")
    cloud.release(cloud.app, commit="f" * 32, status="failed")
    raises(exceptions.AmbiguousRelease, model.get, "f" * 32)


@case
def release_tags(cloud):
    tags = cloud.admin.models.release.tags
    tags.set(cloud.release_id, "version", "2.113.14")
    tags.set(cloud.commit, "version", "2.113.14+rev0")
    expect(tags.get(cloud.release_id, "version") == "2.113.14+rev0", "value")
    tags.set(cloud.release_id, "meta-balena-base", "2.113.14")
    expect([tag["tag_key"] for tag in tags.get_all_by_application(cloud.app)] == ["meta-balena-base", "version"], "of the application")
    expect([tag["tag_key"] for tag in tags.get_all_by_release(cloud.release_id)] == ["meta-balena-base", "version"], "of the release")
    tags.remove(cloud.release_id, "meta-balena-base")
    expect(list(cloud.tags("release_tag", "release", cloud.release_id)) == ["version"], "removed")


@case
def images_and_services(cloud):
    pine = cloud.admin.pine
    release = cloud.release(cloud.app, status="running")
    service = pine.post({"resource": "service", "body": {"application": cloud.app, "service_name": "main"}})
    refused(409, pine.post, {"resource": "service", "body": {"application": cloud.app, "service_name": "main"}}, text="unique")
    expect(pine.get({"resource": "service", "id": {"application": cloud.app, "service_name": "main"}})["id"] == service["id"], "natural key")
    image = pine.post({"resource": "image", "body": {
        "is_a_build_of__service": service["id"], "status": "running", "start_timestamp": "2026-01-02T03:04:05.678Z"}})
    expect(image["is_stored_at__image_location"].startswith(f"{cloud.registry}/v2/"), image)
    pine.post({"resource": "image__is_part_of__release", "body": {"is_part_of__release": release["id"], "image": image["id"]}})
    refused(400, pine.patch, {"resource": "image", "id": image["id"], "body": {"status": "success"}})
    pine.patch({"resource": "image", "id": image["id"], "body": {
        "status": "success", "content_hash": "sha256:" + "a" * 64, "image_size": "123", "push_timestamp": "2026-01-02T03:04:05.678Z"}})
    told = cloud.admin.models.image.get(image["id"])
    expect(told["image_size"] == "123" and told["status"] == "success" and told["content_hash"].endswith("a"), told)
    details = cloud.admin.models.release.get_with_image_details(release["id"])
    expect(details["images"][0]["service_name"] == "main" and details["user"]["username"] == "admin", details)
    services = cloud.admin.models.service.get_all_by_application(cloud.app)
    expect([row["service_name"] for row in services] == ["main"], services)
    raises(exceptions.ImageNotFound, cloud.admin.models.image.get, 999999)


@case
def release_assets(cloud):
    pine = cloud.admin.pine
    draft = cloud.release(cloud.app, semver="4.0.0")
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "VERSION")
        with open(path, "wb") as file:
            file.write(b"4.0.0\r\n--\x00binary")
        with open(path, "rb") as file:
            made = pine.post({"resource": "release_asset", "body": {"release": draft["id"], "asset_key": "compressed/VERSION", "asset": file}})
        with open(path, "rb") as file:
            body = {"release": draft["id"], "asset_key": "compressed/VERSION", "asset": file}
            refused(409, pine.post, {"resource": "release_asset", "body": body}, text="unique")
    expect(made["asset"]["filename"] == "VERSION" and made["asset"]["size"] == 16, made)
    rows = pine.get({"resource": "release_asset", "options": {
        "$filter": {"release": draft["id"]}, "$select": ["id", "asset_key", "asset"], "$orderby": "id asc"}})
    expect(len(rows) == 1 and rows[0]["asset_key"] == "compressed/VERSION", rows)
    expect(requests.get(rows[0]["asset"]["href"]).content == b"4.0.0\r\n--\x00binary", "content")
    signed_in = requests.get(rows[0]["asset"]["href"], headers={"Authorization": f"Bearer {cloud.admin.auth.get_token()}"})
    expect(signed_in.status_code == 400, signed_in.status_code)
    by_key = pine.get({"resource": "release_asset", "id": {"release": draft["id"], "asset_key": "compressed/VERSION"}})
    expect(by_key["id"] == made["id"], by_key)
    pine.delete({"resource": "release_asset", "id": made["id"]})
    expect(pine.get({"resource": "release_asset", "id": made["id"]}) is None, "deleted and still there")


@case
def teams(cloud):
    found = cloud.admin.models.team.get_all_by_organization("balena_os")
    expect([team["name"] for team in found] == ["OS Devs"], found)
    access = cloud.admin.models.team.application_access
    access.add(found[0]["id"], cloud.app, "developer")
    granted = access.get_all_by_team(found[0]["id"])
    expect([row["grants_access_to__application"]["__id"] for row in granted] == [cloud.app], granted)
    refused(401, cloud.key.models.team.application_access.add, found[0]["id"], cloud.app, "developer")


@case
def host_versions(cloud):
    """A finalized host application is what devices update to."""
    found = cloud.guest.models.os.get_available_os_versions("raspberrypi4-64")
    expect([version["raw_version"] for version in found] == ["2.113.14"], found)
    expect(cloud.admin.models.os.get_available_os_versions("raspberrypi3") == [], "of another type")


@case
def requests_without_the_sdk(cloud):
    expect(requests.get(cloud.url + "ping").text == "OK", "ping")
    unknown = requests.get(cloud.url + "nothing/here")
    expect(unknown.status_code == 404 and unknown.text == "", unknown.text)
    header = {"Authorization": f"Bearer {cloud.admin.auth.get_token()}"}
    gone = requests.get(f"{cloud.url}v7/application(999999)", headers=header)
    expect(gone.status_code == 200 and gone.json() == {"d": []}, gone.text)
    large = requests.patch(f"{cloud.url}v7/release({cloud.release_id})", headers=header, json={"note": "x" * 600000})
    expect(large.status_code == 413, large.status_code)
    if cloud.registry:
        challenge = requests.get(f"http://{cloud.registry}/v2/")
        expect(challenge.status_code == 401 and f'service="{cloud.registry}"' in challenge.headers["WWW-Authenticate"], challenge.headers)


def main():
    with open(sys.argv[1]) as file:
        cloud = Cloud(json.load(file))
    failed = 0
    for function in CASES:
        try:
            function(cloud)
            print(f"ok: {function.__name__}")
        except Exception:
            failed += 1
            print(f"FAILED: {function.__name__}")
            traceback.print_exc(file=sys.stdout)
    print(f"{len(CASES) - failed} passed, {failed} failed")
    return 0 if CASES and failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
