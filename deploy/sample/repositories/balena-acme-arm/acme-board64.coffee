deviceTypesCommon = require '@resin.io/device-types/common'
{ networkOptions, commonImg, instructions } = deviceTypesCommon

BOARD_INSERT = 'Put the card into the slot below the <%= TYPE_NAME %>.'
BOARD_POWER = 'Give power to the <%= TYPE_NAME %>; the green light starts to blink.'

module.exports =
	version: 1
	slug: 'acme-board64'
	aliases: [ 'acme-board64', 'board64' ]
	name: 'Acme Board 64'
	arch: 'aarch64'
	state: 'released'

	instructions: [
        'Write the image to a card.'
		BOARD_INSERT
            BOARD_POWER
	]
	gettingStartedLink:
		windows: 'https://acme.example/start/windows'
		osx: 'https://acme.example/start/osx'
		linux: 'https://acme.example/start/linux'

	supportsBlink: true

	yocto:
		machine: 'acme-board64'
                image: 'balena-image'
	        fstype: 'balenaos-img'
		version: 'yocto-kirkstone'
		deployArtifact: 'balena-image-acme-board64.balenaos-img'
		compressed: true

	options: [ networkOptions.group ]

	configuration:
		config:
			partition:
				primary: 1
			path: '/config.json'

	initialization: commonImg.initialization
