deviceTypesCommon = require('@resin.io/device-types/common')
{ networkOptions, commonImg, instructions } = deviceTypesCommon

START_HERE = "Connect the <%= TYPE_NAME %> to the network, then give it power."

module.exports =
	version: 1
	slug: 'acme-pc'
	name: 'Acme PC'
	arch: 'amd64'
	state: 'released'

	instructions: [
		'Write the image to a card or stick.'
		START_HERE
		instructions.DONE
	]

	yocto:
		machine: 'acme-x86-64'
		image: 'balena-image'
		fstype: 'balenaos-img'
		version: 'yocto-kirkstone'
		deployArtifact: 'balena-image-acme-x86-64.balenaos-img'
		compressed: true

	options: [ networkOptions.group ]

	configuration:
		config:
			partition:
				primary: 1
			path: '/config.json'

	initialization: commonImg.initialization
