SUMMARY = "Image that writes the target image to internal storage"
LICENSE = "MIT"
IMAGE = "flasher"
DEPENDS = "balena-image"
