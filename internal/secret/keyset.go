package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
)

// errKeyset says nothing of what it read: that may be half a key.
var errKeyset = errors.New("not a keyset: it must be the whole of what made it, base64 on one line")

// written is how a keyset stands in the environment: base64 of this, in JSON. Both are
// Tink keysets in clear, so whoever starts the process must fetch the value from a vault.
type written struct {
	// Sealing may be rotated: all its keys open, its primary one seals.
	Sealing json.RawMessage `json:"sealing"`
	// Digest has one key, kept for ever: with another, no repeated request is recognised.
	Digest json.RawMessage `json:"digest"`
}

// NewKeyset makes the keys of a new installation, as a value for DIALTONE_KEYSET. Losing it
// loses every sealed field.
func NewKeyset() (string, error) {
	sealing, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return "", fmt.Errorf("make a sealing key: %w", err)
	}
	digest, err := keyset.NewHandle(prf.HMACSHA256PRFKeyTemplate())
	if err != nil {
		return "", fmt.Errorf("make a digest key: %w", err)
	}
	return write(sealing, digest)
}

// ParseKeyset makes a Keyring of a value that NewKeyset gave. Its errors never repeat the
// value.
func ParseKeyset(value string) (*Keyring, error) {
	sealing, digest, err := read(value)
	if err != nil {
		return nil, err
	}
	return newKeyring(sealing, digest)
}

// AddSealingKey is the first half of a rotation: it returns a keyset with one more sealing
// key, which opens but does not yet seal. Every process must have it before PromoteSealingKey.
func AddSealingKey(value string) (string, error) {
	return rotate(value, func(manager *keyset.Manager, _ *keyset.Handle) error {
		_, err := manager.Add(aead.AES256GCMKeyTemplate())
		return err
	})
}

// PromoteSealingKey is the second half of a rotation: it returns a keyset whose newest
// sealing key seals from now on. The older keys stay, to open what they sealed.
func PromoteSealingKey(value string) (string, error) {
	return rotate(value, func(manager *keyset.Manager, sealing *keyset.Handle) error {
		newest, err := sealing.Entry(sealing.Len() - 1)
		if err != nil {
			return err
		}
		return manager.SetPrimary(newest.KeyID())
	})
}

func rotate(value string, change func(*keyset.Manager, *keyset.Handle) error) (string, error) {
	sealing, digest, err := read(value)
	if err != nil {
		return "", err
	}
	manager := keyset.NewManagerFromHandle(sealing)
	if err := change(manager, sealing); err != nil {
		return "", fmt.Errorf("change the sealing keys: %w", err)
	}
	changed, err := manager.Handle()
	if err != nil {
		return "", fmt.Errorf("change the sealing keys: %w", err)
	}
	return write(changed, digest)
}

func write(sealing, digest *keyset.Handle) (string, error) {
	var sealingJSON, digestJSON bytes.Buffer
	err := errors.Join(
		insecurecleartextkeyset.Write(sealing, keyset.NewJSONWriter(&sealingJSON)),
		insecurecleartextkeyset.Write(digest, keyset.NewJSONWriter(&digestJSON)),
	)
	if err != nil {
		return "", fmt.Errorf("write the keyset: %w", err)
	}
	whole, err := json.Marshal(written{Sealing: sealingJSON.Bytes(), Digest: digestJSON.Bytes()})
	if err != nil {
		return "", fmt.Errorf("write the keyset: %w", err)
	}
	return base64.StdEncoding.EncodeToString(whole), nil
}

func read(value string) (sealing, digest *keyset.Handle, err error) {
	whole, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value))
	if err != nil {
		return nil, nil, errKeyset
	}
	var parts written
	if json.Unmarshal(whole, &parts) != nil {
		return nil, nil, errKeyset
	}
	sealing, err = insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(parts.Sealing)))
	if err != nil {
		return nil, nil, errKeyset
	}
	digest, err = insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(parts.Digest)))
	if err != nil {
		return nil, nil, errKeyset
	}
	if digest.Len() != 1 {
		return nil, nil, errors.New("the keyset has more than one digest key: that key is kept for ever, take the others out")
	}
	return sealing, digest, nil
}
