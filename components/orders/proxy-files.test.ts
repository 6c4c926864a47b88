import { expect, it } from 'vitest'
import { proxyFile } from './proxy-files'

const proxy = {
  host: '192.0.2.7',
  port: 8080,
  username: 'anna',
  password: '=cmd|"x"',
  countryCode: 'NL',
  protocols: ['http', 'https'],
  expiresAt: new Date('2030-01-02T03:04:05Z'),
}

it('writes each kind of file', () => {
  expect(proxyFile([proxy], 'txt')).toBe('192.0.2.7:8080:anna:=cmd|"x"\n')
  expect(proxyFile([proxy], 'csv')).toBe(
    'host,port,username,password,country,protocols,expires_at\r\n' +
      '192.0.2.7,8080,anna,"\'=cmd|""x""",NL,http https,2030-01-02T03:04:05.000Z\r\n',
  )
  expect(JSON.parse(proxyFile([proxy], 'json'))).toEqual([
    {
      host: '192.0.2.7',
      port: 8080,
      username: 'anna',
      password: '=cmd|"x"',
      url: 'http://anna:%3Dcmd%7C%22x%22@192.0.2.7:8080',
      country: 'NL',
      protocols: ['http', 'https'],
      expiresAt: '2030-01-02T03:04:05.000Z',
    },
  ])
})
