import { createTranslator } from 'next-intl'
import { isLocale, DEFAULT_LOCALE, type Locale } from './locales'
import { MESSAGES, type Messages } from './messages'

/** Texts of one namespace outside a page: in actions, routes, mails. An unknown language is answered in English. */
export function translator<Namespace extends keyof Messages>(locale: string, namespace: Namespace) {
  const known: Locale = isLocale(locale) ? locale : DEFAULT_LOCALE
  return createTranslator({ locale: known, messages: MESSAGES[known], namespace })
}
