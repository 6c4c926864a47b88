import { getLocale, getTranslations } from 'next-intl/server'
import { shortId } from '@/components/ui/short-id'
import { BUILT_IN_FORMATS, type ExportTemplateView } from '@/lib/exports'

/** The formats that are one tool's own; the others are for everybody. */
const OF_TOOLS = [
  'foxyproxy',
  'mihomo',
  'sing_box',
  'proxychains',
] as const satisfies readonly (typeof BUILT_IN_FORMATS)[number][]

/** The options of a select for formats, one's own templates among them. */
export async function FormatOptions({ templates }: { templates: ExportTemplateView[] }) {
  const say = await getTranslations('exports')
  const options = (formats: readonly (typeof BUILT_IN_FORMATS)[number][]) =>
    formats.map((format) => (
      <option key={format} value={format}>
        {say(`format_${format}`)}
      </option>
    ))
  return (
    <>
      {templates.length > 0 && (
        <optgroup label={say('formatsOwn')}>
          {templates.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </optgroup>
      )}
      <optgroup label={say('formatsForAll')}>
        {options(BUILT_IN_FORMATS.filter((format) => !(OF_TOOLS as readonly string[]).includes(format)))}
      </optgroup>
      <optgroup label={say('formatsOfTools')}>{options(OF_TOOLS)}</optgroup>
    </>
  )
}

export async function OrderOptions({ orders }: { orders: { id: string; count: number }[] }) {
  const say = await getTranslations('exports')
  return (
    <>
      <option value="">{say('allOrders')}</option>
      {orders.map(({ id, count }) => (
        <option key={id} value={id}>
          {say('orderChoice', { id: shortId(id), count })}
        </option>
      ))}
    </>
  )
}

export async function CountryOptions({ countries }: { countries: string[] }) {
  const [say, locale] = await Promise.all([getTranslations('exports'), getLocale()])
  const names = new Intl.DisplayNames([locale], { type: 'region' })
  return (
    <>
      <option value="">{say('allCountries')}</option>
      {countries.map((code) => (
        <option key={code} value={code}>
          {names.of(code) ?? code}
        </option>
      ))}
    </>
  )
}

export async function TagOptions({ tags }: { tags: { tag: string; count: number }[] }) {
  const say = await getTranslations('exports')
  return (
    <>
      <option value="">{say('allTags')}</option>
      {tags.map(({ tag, count }) => (
        <option key={tag} value={tag}>
          {say('tagChoice', { tag, count })}
        </option>
      ))}
    </>
  )
}
