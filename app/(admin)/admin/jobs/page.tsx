import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { ActionForm } from '@/components/ui/action-form'
import { EmptyState } from '@/components/ui/empty-state'
import { PageHeader } from '@/components/ui/page-header'
import { SubmitButton } from '@/components/ui/submit-button'
import { Code, DataTable } from '@/components/ui/table'
import { RelativeTime } from '@/components/ui/time'
import { listFailedJobs } from '@/lib/jobs'
import { requireAdmin } from '@/lib/web'
import { retryJobAction } from './actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('admin'))('jobsTitle') }
}

export default async function JobsPage() {
  await requireAdmin('jobs.retry')
  const [say, jobs] = await Promise.all([getTranslations('admin'), listFailedJobs()])
  return (
    <>
      <PageHeader title={say('jobsTitle')} lead={say('jobsLead')} />
      <DataTable
        caption={say('jobsCaption')}
        rows={jobs}
        rowKey={(job) => job.id}
        empty={<EmptyState title={say('jobsEmpty')}>{say('jobsEmptyText')}</EmptyState>}
        columns={[
          { key: 'job', head: say('job'), cell: (job) => <Code>{job.name}</Code> },
          { key: 'failedAt', head: say('failedAt'), cell: (job) => <RelativeTime at={job.failedAt} /> },
          { key: 'attempts', head: say('attempts'), isNumber: true, cell: (job) => String(job.attempts) },
          {
            key: 'error',
            head: say('lastError'),
            cell: (job) => <span className="block max-w-xl font-mono text-xs break-words">{job.lastError}</span>,
          },
          {
            key: 'retry',
            head: '',
            cell: (job) => (
              <ActionForm action={retryJobAction}>
                <input type="hidden" name="jobId" value={job.id} />
                <SubmitButton size="sm" variant="secondary" aria-label={`${say('retry')}: ${job.name} ${job.id}`}>
                  {say('retry')}
                </SubmitButton>
              </ActionForm>
            ),
          },
        ]}
      />
    </>
  )
}
