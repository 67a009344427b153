"""Reads a running test cloud with balenaCloud's own Python SDK, for deploy/check-publishing.

  token CLOUD                          logs in as the administrator and prints the session token
  releases CLOUD                       all applications and releases that a guest sees, as one JSON object by the application's name
  versions CLOUD SLUG                  the OS versions that a guest is offered for a device type, one a line
  assets CLOUD APPLICATION DIRECTORY   downloads every asset of the application's only release, as a guest
  team CLOUD NAME                      application and role, divided by a tab, of all that the team may see; reads a token from standard input

CLOUD is the file with what `test-cloud --json` printed.
"""

import json
import pathlib
import sys

import balena
import requests

ORGANIZATION = "balena_os"


def client(cloud, token=None):
    """A guest's without a token: what it sees is public."""
    made = balena.Balena({"data_directory": False, "api_version": "v7"})
    made.settings.set("api_endpoint", cloud["url"] + "/")
    made.pine.api_prefix = cloud["url"] + "/v7/"
    if token:
        made.auth.login_with_token(token)
    return made


def token(cloud):
    admin = client(cloud)
    admin.auth.login(username=cloud["admin"]["username"], password=cloud["admin"]["password"])
    print(admin.auth.get_token())


def services(sdk, release):
    """The images of a release by service. The SDK has no model for locations and labels, so its raw client asks."""
    expand = {"release_image": {"$expand": {
        "image": {"$expand": {"is_a_build_of__service": {"$select": "service_name"}}}, "image_label": {"$select": ["label_name", "value"]}}}}
    rows = sdk.pine.get({"resource": "release", "id": release, "options": {"$select": "id", "$expand": expand}})["release_image"]
    found = []
    for row in rows:
        image = row["image"][0]
        found.append({
            "service": image["is_a_build_of__service"][0]["service_name"], "id": image["id"], "status": image["status"],
            "location": image["is_stored_at__image_location"], "digest": image["content_hash"],
            "labels": {label["label_name"]: label["value"] for label in row["image_label"]}})
    return sorted(found, key=lambda image: (image["service"], image["id"]))


def assets(sdk, release):
    options = {"$filter": {"release": release}, "$select": ["id", "asset_key", "asset"], "$orderby": "asset_key asc"}
    return sdk.pine.get({"resource": "release_asset", "options": options})


def described(sdk, release):
    id = release["id"]
    return {
        "id": id, "commit": release["commit"], "raw_version": release["raw_version"], "status": release["status"], "is_final": release["is_final"],
        "is_invalidated": release["is_invalidated"], "changed": release["update_timestamp"], "composition": release["composition"],
        "tags": {tag["tag_key"]: tag["value"] for tag in sdk.models.release.tags.get_all_by_release(id)}, "services": services(sdk, id),
        "assets": {row["asset_key"]: {"id": row["id"], "size": row["asset"] and row["asset"]["size"]} for row in assets(sdk, id)}}


def releases(cloud):
    guest = client(cloud)
    # The SDK's own get_target_release_hash fails for an application that has no target yet.
    expand = {"is_for__device_type": {"$select": "slug"}, "should_be_running__release": {"$select": "commit"}}
    found = {}
    for row in guest.models.application.get_all_by_organization(ORGANIZATION, {"$expand": expand, "$orderby": "id asc"}):
        found[row["app_name"]] = {
            "id": row["id"], "device_type": row["is_for__device_type"][0]["slug"], "class": row["is_of__class"], "is_host": row["is_host"],
            "is_public": row["is_public"], "repository": row.get("is_stored_at__repository_url"),
            "target": [release["commit"] for release in row["should_be_running__release"]],
            "releases": [described(guest, release) for release in guest.models.release.get_all_by_application(row["id"])]}
    json.dump(found, sys.stdout, indent=1)


def versions(cloud, slug):
    for version in client(cloud).models.os.get_available_os_versions(slug):
        print(version["raw_version"])


def download(cloud, application, directory):
    guest = client(cloud)
    release, = guest.models.release.get_all_by_application(f"{ORGANIZATION}/{application}")
    for row in assets(guest, release["id"]):
        path = pathlib.Path(directory, row["asset_key"])
        path.parent.mkdir(parents=True, exist_ok=True)
        # The link carries its permission: no credential goes there.
        answer = requests.get(row["asset"]["href"])
        answer.raise_for_status()
        path.write_bytes(answer.content)


def team(cloud, name):
    member = client(cloud, sys.stdin.read().strip())
    found, = [row for row in member.models.team.get_all_by_organization(ORGANIZATION) if row["name"] == name]
    expand = {"grants_access_to__application": {"$select": "app_name"}, "application_membership_role": {"$select": "name"}}
    for row in member.models.team.application_access.get_all_by_team(found["id"], {"$expand": expand}):
        print(row["grants_access_to__application"][0]["app_name"], row["application_membership_role"][0]["name"], sep="\t")


if __name__ == "__main__":
    command, description, *rest = sys.argv[1:]
    commands = {"token": token, "releases": releases, "versions": versions, "assets": download, "team": team}
    with open(description, encoding="utf-8") as file:
        commands[command](json.load(file), *rest)
