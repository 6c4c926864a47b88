/**
 * The version of the legal documents that a person agrees to at sign-up, and the day it came into force. A change of their meaning
 * changes both; consents keep the version they were given to.
 */
export const TERMS_VERSION = '1.0'
export const TERMS_DATE = '2026-11-21'
