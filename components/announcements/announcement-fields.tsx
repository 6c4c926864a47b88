import { getLocale, getTimeZone, getTranslations } from 'next-intl/server'
import { CountriesField } from '@/components/admin/countries-field'
import { brandOfSupplier } from '@/components/admin/supplier-words'
import { CheckboxField, TextAreaField, TextField } from '@/components/ui/field'
import { type Announcement, type AnnouncementKind, TITLE_MAX, writeLocal } from '@/lib/announcements'
import { readCatalog } from '@/lib/catalog'

/** Title and text in both languages. */
export async function TextFields({ announcement }: { announcement: Announcement | null }) {
  const say = await getTranslations('announcements')
  return (
    <>
      <TextField
        name="titleEn"
        label={say('titleEn')}
        defaultValue={announcement?.titleEn}
        maxLength={TITLE_MAX}
        required
      />
      <TextAreaField name="textEn" label={say('textEn')} defaultValue={announcement?.textEn} required />
      <TextField
        name="titleRu"
        label={say('titleRu')}
        defaultValue={announcement?.titleRu}
        maxLength={TITLE_MAX}
        required
      />
      <TextAreaField name="textRu" label={say('textRu')} defaultValue={announcement?.textRu} required />
    </>
  )
}

/** The times of a maintenance, or the day from which a change holds, by the clocks of whoever types them; the zone is sent along. */
export async function TimeFields({
  kind,
  announcement,
}: {
  kind: AnnouncementKind
  announcement: Announcement | null
}) {
  const [say, zone] = await Promise.all([getTranslations('announcements'), getTimeZone()])
  const text = (at: Date | null | undefined) => (at ? writeLocal(at, zone) : '')
  const hidden = <input type="hidden" name="timeZone" value={zone} />
  if (kind === 'news') return hidden
  const isMaintenance = kind === 'maintenance'
  return (
    <>
      {hidden}
      <TextField
        name="beginsAt"
        type="datetime-local"
        label={say(isMaintenance ? 'beginsAt' : 'holdsAt', { zone })}
        help={isMaintenance ? undefined : say('zoneHelp', { zone })}
        className="max-w-sm"
        defaultValue={text(announcement?.beginsAt)}
        required={isMaintenance}
      />
      {isMaintenance && (
        <TextField
          name="endsAt"
          type="datetime-local"
          label={say('endsAt', { zone })}
          help={say('zoneHelp', { zone })}
          className="max-w-sm"
          defaultValue={text(announcement?.endsAt)}
          required
        />
      )}
    </>
  )
}

/** What a maintenance touches. Offers are many and seldom needed, so they are folded away until one is chosen. */
export async function TouchFields({ announcement }: { announcement: Announcement | null }) {
  const [say, locale, products] = await Promise.all([
    getTranslations('announcements'),
    getLocale(),
    readCatalog({ fresh: true }),
  ])
  const name = (each: { nameEn: string; nameRu: string }) => (locale === 'ru' ? each.nameRu : each.nameEn)
  const offers = products.flatMap((product) =>
    product.plans.flatMap((plan) =>
      plan.offers.map((offer) => ({ ...offer, plan: name(plan), product: name(product) })),
    ),
  )
  const names = [...new Set(offers.map((offer) => offer.supplier))]
  const brands = new Map(
    await Promise.all(names.map(async (supplier) => [supplier, await brandOfSupplier(supplier)] as const)),
  )
  return (
    <>
      <h3 className="mt-2 font-semibold">{say('touched')}</h3>
      <p className="-mt-3 text-sm text-muted">{say('touchedLead')}</p>
      <CheckboxField name="isWholeShop" label={say('isWholeShop')} defaultChecked={announcement?.isWholeShop} />
      <Boxes
        legend={say('products')}
        name="productIds"
        chosen={announcement?.productIds}
        choices={products.map((product) => [product.id, name(product)])}
      />
      <CountriesField chosen={announcement?.countryCodes} />
      <Boxes
        legend={say('suppliers')}
        name="suppliers"
        chosen={announcement?.suppliers}
        choices={names.map((supplier) => [supplier, brands.get(supplier)!])}
      />
      <details open={(announcement?.offerIds.length ?? 0) > 0}>
        <summary className="cursor-pointer font-medium">{say('offers')}</summary>
        <div className="mt-2">
          <Boxes
            legend={say('offers')}
            isLegendHidden
            name="offerIds"
            chosen={announcement?.offerIds}
            choices={offers.map((offer) => [
              offer.id,
              `${offer.product}, ${offer.plan} · ${offer.countryCode} · ${brands.get(offer.supplier)!}`,
            ])}
          />
        </div>
      </details>
    </>
  )
}

function Boxes({
  legend,
  isLegendHidden = false,
  name,
  chosen,
  choices,
}: {
  legend: string
  isLegendHidden?: boolean
  name: string
  chosen?: readonly string[]
  choices: readonly (readonly [string, string])[]
}) {
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className={isLegendHidden ? 'sr-only' : 'mb-1 font-medium'}>{legend}</legend>
      {choices.map(([value, label]) => (
        <label key={value} className="flex items-start gap-3">
          <input
            type="checkbox"
            name={name}
            value={value}
            defaultChecked={chosen?.includes(value)}
            className="mt-0.5 size-5 shrink-0 accent-accent"
          />
          {label}
        </label>
      ))}
    </fieldset>
  )
}
