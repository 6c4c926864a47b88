import { cookies, headers } from 'next/headers'
import { env } from '@/lib/env'
import { chooseLocale, type Locale } from '@/i18n/locales'

/** What somebody chose about how the shop looks and speaks. Kept in cookies, for a year, and told to nobody. */
export const LOCALE_COOKIE = 'sluice_locale'
export const THEME_COOKIE = 'sluice_theme'
/** Written by the browser itself (components/frame/remember-time-zone.tsx), because only it knows. */
export const TIME_ZONE_COOKIE = 'sluice_time_zone'

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const YEAR_S = 365 * 24 * 60 * 60

/** The language of this request: the person's choice, else what the browser asks for, else English. */
export async function currentLocale(): Promise<Locale> {
  return chooseLocale((await cookies()).get(LOCALE_COOKIE)?.value, (await headers()).get('accept-language'))
}

/** The person's theme. `system` until they chose one. The server writes it into the page, so nothing flashes and no script is needed. */
export async function currentTheme(): Promise<Theme> {
  const chosen = (await cookies()).get(THEME_COOKIE)?.value
  return THEMES.find((theme) => theme === chosen) ?? 'system'
}

/** The person's time zone as their browser told it, else UTC. */
export async function currentTimeZone(): Promise<string> {
  // Next has decoded it once. It is not decoded again: a stray percent sign would throw.
  const zone = (await cookies()).get(TIME_ZONE_COOKIE)?.value ?? 'UTC'
  return /^[A-Za-z0-9_+/-]{1,64}$/.test(zone) && isTimeZone(zone) ? zone : 'UTC'
}

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

/** Remembers a choice. Only in actions and route handlers, where cookies may be written. */
export async function rememberPreference(
  name: typeof LOCALE_COOKIE | typeof THEME_COOKIE,
  value: Locale | Theme,
): Promise<void> {
  const secure = env().PUBLIC_URL.startsWith('https://')
  ;(await cookies()).set(name, value, { path: '/', maxAge: YEAR_S, sameSite: 'lax', httpOnly: true, secure })
}

/** Whether the person chose a language on this device. */
export async function hasChosenLocale(): Promise<boolean> {
  return (await cookies()).has(LOCALE_COOKIE)
}
