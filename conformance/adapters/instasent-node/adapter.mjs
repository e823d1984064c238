// The vendor's Node library, `instasent` of npm, before the contract check.
//
// What is changed from outside, and nothing else: where `http.request` connects to. The library names a whole URL as its
// host, which no resolver finds, and has no setting for it: as published, no request of it leaves the machine.
//
// The library hands a body to its caller as the value of a success unless it holds `errors`, whatever the status is, and
// does not tell the status of a success.

import { createRequire } from 'node:module'
import http from 'node:http'
import readline from 'node:readline'
import { inspect } from 'node:util'

const UNSUPPORTED = {
  'sms-bulk-create': 'the library sends one message a call',
  'price-sms-get': 'the library does not know prices',
  'price-lookup-get': 'the library does not know prices',
}

let target
const request = http.request
http.request = (options) => request({ ...options, host: target.hostname, port: target.port, path: target.pathname + options.path })
const instasent = createRequire(import.meta.url)('instasent')

/** The method of the library with what it takes, and the arguments that it has no place for. */
function method(client, operation, { body = {}, ...given }) {
  const beside = (taken) => Object.keys(body).filter((name) => !taken.includes(name)).map((name) => `body/${name}`)
  switch (operation) {
    case 'sms-create':
      return [(done) => client.send_sms.create(body.from, body.to, body.text, done), beside(['from', 'to', 'text'])]
    case 'lookup-create':
      return [(done) => client.do_lookup.create(body.to, done), beside(['to'])]
    case 'account-get':
      return [(done) => client.get_account_balance.read(done), []]
    case 'sms-get':
      return [(done) => client.get_sms_by_id.read(given.id, done), []]
    case 'lookup-get':
      return [(done) => client.get_lookup_by_id.read(given.id, done), []]
    default: {
      const list = operation === 'sms-list' ? client.get_sms : client.get_lookups
      const others = Object.keys(given).filter((name) => name !== 'page' && name !== 'per_page')
      return [(done) => list.read(given.page, given.per_page, done), others]
    }
  }
}

function seen(client, { operation, arguments: given }) {
  const reason = UNSUPPORTED[operation.id]
  if (reason) return { outcome: { unsupported: { reason } } }
  const [call, left_out] = method(client, operation.id, given)
  return new Promise((resolve) => {
    const done = (error, value) => {
      if (!error) return resolve({ outcome: { success: { value } }, left_out })
      const failure = { texts: [String(error), inspect(error)] }
      if (error.statusCode) failure.status = error.statusCode
      resolve({ outcome: { failure }, left_out })
    }
    try {
      call(done)
    } catch (error) {
      done(error)
    }
  })
}

let client
async function answer(asked) {
  switch (asked.request) {
    case 'connect':
      if (!['legacy', 'transactional'].includes(asked.api)) {
        return { unsupported: { reason: 'the library knows the SMS endpoints only' } }
      }
      target = new URL(asked.base_url)
      client = instasent(asked.token)
      return { ok: true }
    case 'token':
      return { unsupported: { reason: 'the library takes one token for good' } }
    default:
      return { id: asked.id, ...(await seen(client, asked)) }
  }
}

console.log = console.error
for await (const line of readline.createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`)
}
