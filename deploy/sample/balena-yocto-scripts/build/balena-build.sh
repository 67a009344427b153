#!/bin/bash
#
# balena-build.sh, the miniature: takes the options of the real one and calls docker as it does, with barys' arguments behind the helper image.
# Like the real one it ends 0 for an option that it does not know, and whatever became of the pull, the container and barys in it.
#
docker=${DOCKER:-docker}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P) || exit 1
tree=$(cd "$here/../.." && pwd -P) || exit 1
container="yocto-build-$$"
image="${HELPER_IMAGE_REPO:-ghcr.io/balena-os/balena-yocto-scripts}:1.42.8-yocto-build-env"

usage() {
  echo "Usage: balena-build.sh -d MACHINE -s SHARED [-i TARGETS] [-b BITBAKE-ARGUMENTS] [-g BARYS-ARGUMENTS] [-a API] [-t TOKEN] [-k]. A miniature."
  exit 0
}

# shellcheck disable=SC2317 # the trap calls it
clean_up() {
  "$docker" stop "$container" 2> /dev/null
  "$docker" rm --volumes "$container" 2> /dev/null
  exit 1
}
trap clean_up INT TERM

[ $# -ge 1 ] || usage
# shellcheck disable=SC2153 # of the environment, as for the real one
machine=$MACHINE shared=$YOCTO_DIR targets="" bitbake="" barys="" api="" token="" keep=0
while getopts "hd:a:t:s:b:i:g:k" option; do
  case $option in
    d) machine=$OPTARG ;;
    s) shared=$OPTARG ;;
    i) targets=$OPTARG ;;
    b) bitbake=$OPTARG ;;
    g) barys=$OPTARG ;;
    a) api=$OPTARG ;;
    t) token=$OPTARG ;;
    k) keep=1 ;;
    *) usage ;;
  esac
done
[ -n "$machine" ] || { echo "Device type is required"; exit 1; }
[ -n "$shared" ] || { echo "Shared directory is required"; exit 1; }
mkdir -p "$shared/shared-downloads" "$shared/$machine/sstate"
"$docker" info > /dev/null 2>&1 || { echo "Docker needs to be installed"; exit 1; }
printf 'Submodule details:\n\n'
(cd "$tree" && git submodule status)
"$docker" stop "$container" 2> /dev/null
"$docker" rm --volumes "$container" 2> /dev/null
"$docker" pull "$image"
id=$("$docker" images --format "{{.ID}}" "$image")

# Words fall apart at blanks here, as they do in the real one.
# shellcheck disable=SC2086
"$docker" run --rm --rm -v "$tree":/work -v "$shared/shared-downloads":/yocto/shared-downloads -v "$shared/$machine/sstate":/yocto/shared-sstate \
  -v "${SSH_AUTH_SOCK:-/dev/null}":/tmp/ssh-agent -e SSH_AUTH_SOCK=/tmp/ssh-agent -e BUILDER_UID="$(id -u)" -e VERBOSE="${VERBOSE:-}" \
  -e BUILDER_GID="$(id -g)" \
  -e BALENA_TOKEN="$token" -e API_ENV="$api" --name "$container" --privileged "$id" /prepare-and-start.sh \
  --log --machine "$machine" ${bitbake:+--bitbake-args $bitbake} ${targets:+--bitbake-target $targets} $barys \
  -a BALENA_API_ENV="$api" -a BALENA_API_TOKEN="$token" --shared-downloads /yocto/shared-downloads --shared-sstate /yocto/shared-sstate --rm-work
if [ "$keep" = 0 ]; then
  for id in $("$docker" images "${image%:*}" --format "{{.ID}}"); do "$docker" rmi -f "$id" 2> /dev/null || true; done
fi
exit 0
