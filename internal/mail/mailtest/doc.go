// Package mailtest is a pretend SendGrid at its wire, with an inbox that people can read.
//
// It takes what the real one takes at POST /v3/mail/send, refuses what the real one refuses
// and in the same words, and brings signed events until they are answered with a 2xx. It
// delivers nothing: accepted mail is written to its journal and shown at
//
//	GET /inbox        the mails, newest first, for people
//	GET /inbox.json   the mails, oldest first, as an array of Mail
//
// The local part of an address decides what becomes of a mail:
//
//	bounce@…    processed, then bounced by the recipient's server
//	dropped@…   accepted, then dropped without a try
//	silent@…    accepted, and no event ever tells of it
//	any other   processed and delivered
//
// All state comes from the journal, so a pretend SendGrid that was killed goes on where it
// was. Faults bite calls to the API only, never the inbox.
package mailtest
