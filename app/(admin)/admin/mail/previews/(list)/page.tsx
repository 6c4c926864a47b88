import type { Metadata } from 'next'
import { getLocale, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { MailTabs } from '@/components/mail/mail-tabs'
import { PageHeader } from '@/components/ui/page-header'
import { DataTable } from '@/components/ui/table'
import { listPreviews } from '@/emails/preview'
import { requireAdmin } from '@/lib/web'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('mail'))('previewsTitle') }
}

export default async function PreviewsPage() {
  const staff = await requireAdmin('mail.read')
  const [say, locale] = await Promise.all([getTranslations('mail'), getLocale()])
  return (
    <>
      <PageHeader title={say('previewsTitle')} lead={say('previewsLead')} />
      <MailTabs user={staff} current="/admin/mail/previews" />
      <DataTable
        caption={say('previewsCaption')}
        rows={await listPreviews(locale)}
        rowKey={({ template }) => template}
        empty={null}
        columns={[
          {
            key: 'template',
            head: say('columnTemplate'),
            cell: ({ template }) => (
              <Link href={`/admin/mail/previews/${template}`} className="font-mono text-accent underline">
                {template}
              </Link>
            ),
          },
          { key: 'subject', head: say('columnSubject'), cell: ({ subject }) => subject },
        ]}
      />
    </>
  )
}
