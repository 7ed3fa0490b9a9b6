// Package browsertest draws pages in a headless Chromium, so that people can look at what we
// make: mails, the inbox, a run in the Temporal UI. It speaks the DevTools protocol over two
// pipes and needs the standard library only.
package browsertest
