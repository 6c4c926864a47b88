import { getLocale, getTranslations } from 'next-intl/server'
import { LOCALES } from '@/i18n/locales'
import { currentTheme, type FormAction, THEMES } from '@/lib/web'

export type PreferenceActions = { setLocale: FormAction; setTheme: FormAction }

const CHOICE =
  'min-h-8 rounded-md px-2 text-sm text-muted hover:bg-sunken hover:text-text aria-pressed:bg-sunken aria-pressed:font-medium aria-pressed:text-text'

/** Language and theme as plain forms: they need no script, and the server draws the answer. */
export async function PreferenceSwitches({ setLocale, setTheme }: PreferenceActions) {
  const [say, locale, theme] = await Promise.all([getTranslations('frame'), getLocale(), currentTheme()])
  return (
    <div className="flex flex-wrap items-center gap-x-6 gap-y-2">
      <form action={setLocale}>
        <div role="group" aria-label={say('language')} className="flex items-center gap-1">
          {LOCALES.map((choice) => (
            <button
              key={choice}
              name="locale"
              value={choice}
              lang={choice}
              aria-pressed={choice === locale}
              className={CHOICE}
            >
              {say(choice)}
            </button>
          ))}
        </div>
      </form>
      <form action={setTheme}>
        <div role="group" aria-label={say('theme')} className="flex items-center gap-1">
          {THEMES.map((choice) => (
            <button key={choice} name="theme" value={choice} aria-pressed={choice === theme} className={CHOICE}>
              {say(choice)}
            </button>
          ))}
        </div>
      </form>
    </div>
  )
}
