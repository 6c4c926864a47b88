import { translator } from '@/i18n/translator'
import type { Announcement } from '@/lib/announcements'
import { AnnouncementText } from './announcement-text'
import { textIn, timeIn } from './announcement-words'

type Shown = Pick<
  Announcement,
  | 'kind'
  | 'textEn'
  | 'textRu'
  | 'beginsAt'
  | 'endsAt'
  | 'isWholeShop'
  | 'suppliers'
  | 'offerIds'
  | 'productIds'
  | 'countryCodes'
>
export type ProductNames = readonly { id: string; nameEn: string; nameRu: string }[]

/** What an announcement says under its title: when, what it touches, its text. In the language that is asked for, whatever the page around it speaks. */
export function AnnouncementBody({
  announcement,
  products,
  locale,
  timeZone,
}: {
  announcement: Shown
  products: ProductNames
  locale: 'en' | 'ru'
  timeZone: string
}) {
  const say = translator(locale, 'announcements')
  const { kind, beginsAt, endsAt } = announcement
  const time = (at: Date) => timeIn(locale, timeZone, at)
  return (
    <div lang={locale}>
      {kind === 'change' && beginsAt && (
        <p className="mt-3 font-medium">{say('holdsFrom', { begins: time(beginsAt) })}</p>
      )}
      {kind === 'maintenance' && beginsAt && endsAt && (
        <div className="mt-3 rounded-md border bg-sunken p-3">
          <p className="font-medium">{say('span', { begins: time(beginsAt), ends: time(endsAt) })}</p>
          <p className="mt-1">{sayTouched(announcement, products, locale)}</p>
        </div>
      )}
      <AnnouncementText text={textIn(locale, announcement)} />
      {kind === 'maintenance' && <p className="mt-3 text-muted">{say('remedies')}</p>}
    </div>
  )
}

/** What a maintenance touches, in what customers know: products and countries. Suppliers and offers are ours alone; they only say that it is a part. */
function sayTouched(announcement: Shown, products: ProductNames, locale: 'en' | 'ru'): string {
  const say = translator(locale, 'announcements')
  if (announcement.isWholeShop) return say('touchesShop')
  const regions = new Intl.DisplayNames([locale], { type: 'region' })
  const names = announcement.productIds.flatMap((id) => {
    const product = products.find((each) => each.id === id)
    return product ? [locale === 'ru' ? product.nameRu : product.nameEn] : []
  })
  const countries = announcement.countryCodes.map((code) => regions.of(code) ?? code)
  const what = [names.join(', '), countries.join(', ')].filter(Boolean).join(' · ')
  if (what === '') return say('touchesSome')
  const isPart = announcement.suppliers.length + announcement.offerIds.length > 0
  return say(isPart ? 'touchesPart' : 'touches', { what })
}
