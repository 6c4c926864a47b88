export { defineSettings, type Settings } from './define-settings'
export { openSecret, sealSecret, type SecretPlace } from './seal'
