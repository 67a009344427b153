deviceTypesCommon = require('@resin.io/device-types/common')
{ networkOptions, commonImg, instructions } = deviceTypesCommon

START_HERE = "Connect the <%= TYPE_NAME %> to the network, then give it power."

module.exports =
	version: 1
	name: 'Acme Module (secure boot)'
	arch: 'aarch64'

	instructions: [
		'Write the image to a card or stick.'
		START_HERE
		instructions.DONE
	]

	yocto:
		machine: 'acme-module'
		image: 'balena-image-flasher'
		fstype: 'balenaos-img'
		version: 'yocto-kirkstone'
		deployArtifact: 'balena-image-flasher-acme-module.balenaos-img'
		compressed: true

	options: [ networkOptions.group ]

	configuration:
		config:
			partition:
				primary: 1
			path: '/config.json'

	initialization: commonImg.initialization
