package storetest

import (
	"sync"

	"github.com/dialtone/dialtone/internal/secret"
)

// Keyset is a DIALTONE_KEYSET for tests: the same one always, so that a process which a test
// starts can open what the test has sealed. It protects nothing.
const Keyset = "" +
	"eyJzZWFsaW5nIjp7InByaW1hcnlLZXlJZCI6MTE4NzI0MzU5Nywia2V5IjpbeyJrZXlEYXRhIjp7InR5cGVVcmwi" +
	"OiJ0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5jcnlwdG8udGluay5BZXNHY21LZXkiLCJ2YWx1ZSI6IkdpQXVW" +
	"bVJGa2djWlpJbHFvZ2U3VGZMcytNR01oVlJnTXBkU2NvRk9UeTZCVmc9PSIsImtleU1hdGVyaWFsVHlwZSI6IlNZ" +
	"TU1FVFJJQyJ9LCJzdGF0dXMiOiJFTkFCTEVEIiwia2V5SWQiOjExODcyNDM1OTcsIm91dHB1dFByZWZpeFR5cGUi" +
	"OiJUSU5LIn1dfSwiZGlnZXN0Ijp7InByaW1hcnlLZXlJZCI6MjcwMjE3MTM5NSwia2V5IjpbeyJrZXlEYXRhIjp7" +
	"InR5cGVVcmwiOiJ0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5jcnlwdG8udGluay5IbWFjUHJmS2V5IiwidmFs" +
	"dWUiOiJFZ0lJQXhvZ0V5MStRcVJnV0NmdlhYYVIvUDNNQlN1a2FvRUxXdlZ0dzU3WDFzVGYvNWs9Iiwia2V5TWF0" +
	"ZXJpYWxUeXBlIjoiU1lNTUVUUklDIn0sInN0YXR1cyI6IkVOQUJMRUQiLCJrZXlJZCI6MjcwMjE3MTM5NSwib3V0" +
	"cHV0UHJlZml4VHlwZSI6IlJBVyJ9XX19"

// Sealer seals with Keyset.
func Sealer() *secret.Keyring { return sealer() }

var sealer = sync.OnceValue(func() *secret.Keyring {
	keyring, err := secret.ParseKeyset(Keyset)
	if err != nil {
		panic("storetest: " + err.Error())
	}
	return keyring
})
