import type { Metadata } from 'next'
import { getLocale, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { notFound } from 'next/navigation'
import { Card } from '@/components/ui/card'
import { PageHeader } from '@/components/ui/page-header'
import { oneOf, type SearchParams, withQuery } from '@/components/ui/search-params'
import { isTemplate, renderPreview } from '@/emails/preview'
import { LOCALES } from '@/i18n/locales'
import { requireAdmin } from '@/lib/web'

type Props = { params: Promise<{ template: string }>; searchParams: SearchParams }

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: (await params).template }
}

/** One mail in every form in which a reader may meet it: language, light or dark, phone or wide, html or text. */
export default async function PreviewPage({ params, searchParams }: Props) {
  await requireAdmin('mail.read')
  const { template } = await params
  if (!isTemplate(template)) notFound()
  const [query, say, own] = await Promise.all([searchParams, getTranslations('mail'), getLocale()])
  const chosen = {
    locale: LOCALES.find((each) => each === oneOf(query.locale)) ?? own,
    scheme: oneOf(query.scheme) === 'dark' ? 'dark' : 'light',
    width: oneOf(query.width) === 'wide' ? 'wide' : 'narrow',
  } as const
  const path = `/admin/mail/previews/${template}`
  const mail = await renderPreview(template, chosen)
  const choices = [
    { name: 'locale', label: say('previewLanguage'), values: LOCALES.map((each) => [each, say(each)] as const) },
    {
      name: 'scheme',
      label: say('previewScheme'),
      values: [['light', say('light')] as const, ['dark', say('dark')] as const],
    },
    {
      name: 'width',
      label: say('previewWidth'),
      values: [['narrow', say('narrow')] as const, ['wide', say('wide')] as const],
    },
  ] as const
  return (
    <>
      <PageHeader
        back={
          <Link href="/admin/mail/previews" className="text-accent underline">
            {say('previewBack')}
          </Link>
        }
        title={<span className="font-mono">{template}</span>}
        lead={say('previewLead')}
      />
      <nav aria-label={say('previewChoice')} className="mb-6 flex flex-wrap gap-x-8 gap-y-2 text-sm">
        {choices.map(({ name, label, values }) => (
          <div key={name} className="flex flex-wrap items-center gap-x-3">
            <span className="text-muted">{label}:</span>
            {values.map(([value, text]) => (
              <Link
                key={value}
                href={withQuery(path, { ...chosen, [name]: value })}
                aria-current={chosen[name] === value ? 'true' : undefined}
                className="inline-flex min-h-9 items-center text-accent underline aria-[current=true]:font-semibold aria-[current=true]:text-text aria-[current=true]:no-underline"
              >
                {text}
              </Link>
            ))}
          </div>
        ))}
      </nav>
      <div className="flex flex-col gap-6">
        <p lang={chosen.locale}>
          <span className="text-muted">{say('previewSubject')}: </span>
          <strong>{mail.subject}</strong>
        </p>
        {/* No scripts, no origin of its own: what stands in it is a mail. */}
        <iframe
          title={say('previewFrame')}
          sandbox=""
          src={withQuery(`${path}/html`, { locale: chosen.locale, scheme: chosen.scheme })}
          className={`h-[48rem] max-w-full rounded-md border ${chosen.width === 'narrow' ? 'w-[360px]' : 'w-full'}`}
        />
        <Card title={say('previewText')}>
          <pre lang={chosen.locale} className="font-mono text-xs break-words whitespace-pre-wrap">
            {mail.text}
          </pre>
        </Card>
      </div>
    </>
  )
}
