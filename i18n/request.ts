import { getRequestConfig } from 'next-intl/server'
import { currentLocale, currentTimeZone } from '@/lib/web/preferences'
import { MESSAGES } from './messages'

/** What next-intl needs to know for one request. The language is not in the address: addresses are fixed and shared. */
export default getRequestConfig(async () => {
  const locale = await currentLocale()
  return { locale, messages: MESSAGES[locale], timeZone: await currentTimeZone(), now: new Date() }
})
