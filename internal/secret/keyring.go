// Package secret keeps what must not be read: it seals fields for the record, makes digests
// that tell sameness and nothing else, and hides values from logs and screens.
package secret

import (
	"crypto/hmac"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// digestSize is that of SHA-256.
const digestSize = 32

// ErrSealed means that a sealed value does not open here: another key, another row, or
// bytes that changed. Which of them it is cannot be told, and is not said.
var ErrSealed = errors.New("the sealed value does not open: it was sealed with another key or for another row, or it is damaged")

// errUnbound stops a mistake at its first call.
var errUnbound = errors.New("a value is sealed for a place, and no associated data name it")

// Keyring seals and digests with the keys of one installation. It is safe for concurrent
// use, and prints as ***.
type Keyring struct {
	sealing   tink.AEAD
	digesting *prf.Set
}

// newKeyring tries the digest once, so that Digest need not fail later.
func newKeyring(sealing, digesting *keyset.Handle) (*Keyring, error) {
	a, err := aead.New(sealing)
	if err != nil {
		return nil, fmt.Errorf("sealing keys: %w", err)
	}
	p, err := prf.NewPRFSet(digesting)
	if err != nil {
		return nil, fmt.Errorf("digest key: %w", err)
	}
	if _, err := p.ComputePrimaryPRF(nil, digestSize); err != nil {
		return nil, fmt.Errorf("digest key: %w", err)
	}
	return &Keyring{sealing: a, digesting: p}, nil
}

// Seal encrypts plain (AES-256-GCM) and binds it to its place, named by associated data
// such as label, tenant and row id, at least one. Open wants the same data in the same
// order. Sealing twice gives different bytes.
func (k *Keyring) Seal(plain []byte, associated ...string) ([]byte, error) {
	if len(associated) == 0 {
		return nil, errUnbound
	}
	sealed, err := k.sealing.Encrypt(plain, encode(associated))
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return sealed, nil
}

// Open returns what Seal was given. It fails with ErrSealed when the key, the associated
// data or any byte is another, and never returns part of a value.
func (k *Keyring) Open(sealed []byte, associated ...string) ([]byte, error) {
	plain, err := k.sealing.Decrypt(sealed, encode(associated))
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}

// Digest is an HMAC-SHA256 over the label and the fields: the same for the same fields, for
// ever, and useless without the key. The boundaries between fields count. The label keeps
// digests for one use from being compared with those for another.
func (k *Keyring) Digest(label string, fields ...string) []byte {
	digest, err := k.digesting.ComputePrimaryPRF(encode(append([]string{label}, fields...)), digestSize)
	if err != nil {
		panic(fmt.Sprintf("a digest that newKeyring tried fails: %v", err)) //nolint:forbidigo // newKeyring has proved the key; a digest has no error to give.
	}
	return digest
}

// SameDigest compares two digests in a time that does not tell where they differ. Empty
// ones are the same as nothing.
func SameDigest(a, b []byte) bool {
	return len(a) > 0 && hmac.Equal(a, b)
}

// Format hides the keys, whatever the verb.
func (k *Keyring) Format(f fmt.State, _ rune) { hide(f) }

// LogValue hides the keys.
func (k *Keyring) LogValue() slog.Value { return slog.StringValue(mask) }

// encode puts a length before each field, so that no two lists of fields give the same
// bytes.
func encode(fields []string) []byte {
	var encoded []byte
	for _, field := range fields {
		encoded = binary.AppendUvarint(encoded, uint64(len(field)))
		encoded = append(encoded, field...)
	}
	return encoded
}
