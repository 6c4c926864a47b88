import { getTranslations } from 'next-intl/server'
import { NOTICE_CHANNELS, type NoticeSettingsView, type TypeInUse } from '@/lib/notices'

/** What goes where, as a real table of boxes: each is named by its row and its column. What cannot be switched off stands there ticked, with the reason. */
export async function SwitchTable({ types, settings }: { types: TypeInUse[]; settings: NoticeSettingsView }) {
  const say = await getTranslations('notices')
  const channels = NOTICE_CHANNELS.filter((channel) => channel !== 'telegram' || settings.telegram !== null)
  return (
    <table className="w-full text-sm">
      <caption className="sr-only">{say('switchesTitle')}</caption>
      <thead className="border-b text-left text-xs text-muted">
        <tr>
          <th scope="col" className="py-2 pr-2 align-bottom font-medium">
            {say('columnType')}
          </th>
          {channels.map((channel) => (
            <th
              key={channel}
              id={`channel-${channel}`}
              scope="col"
              className="w-18 px-1 py-2 text-center align-bottom font-medium"
            >
              {say(`channel_${channel}`)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {types.map(({ type, required }) => (
          <tr key={type} className="border-b align-top last:border-b-0">
            <th scope="row" className="py-3 pr-2 text-left font-normal">
              <span id={`type-${type}`} className="font-medium">
                {say(`type_${type}`)}
              </span>
              <span className="mt-0.5 block text-xs text-muted">{say(`about_${type}`)}</span>
              {required !== 'none' && (
                <span id={`why-${type}`} className="mt-0.5 block text-xs text-muted">
                  {required === 'all'
                    ? say('allRequired')
                    : say(
                        say.has(`someRequired_${type as 'orders'}`)
                          ? `someRequired_${type as 'orders'}`
                          : 'someRequired_other',
                      )}
                </span>
              )}
            </th>
            {channels.map((channel) => {
              const isFixed = required === 'all' && channel !== 'telegram'
              return (
                <td key={channel} className="px-1 py-1 text-center">
                  {/* The whole cell can be pressed: a box alone is small on a phone. */}
                  <label className="grid min-h-11 place-items-center">
                    <input
                      type="checkbox"
                      name="on"
                      value={`${type}:${channel}`}
                      defaultChecked={settings.isOn(type, channel)}
                      disabled={isFixed}
                      aria-labelledby={`type-${type} channel-${channel}`}
                      aria-describedby={required === 'none' ? undefined : `why-${type}`}
                      className="size-5 accent-accent"
                    />
                  </label>
                </td>
              )
            })}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
