export { defineSettings, type Settings } from './define-settings'
