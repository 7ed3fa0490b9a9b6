package secret_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dialtone/dialtone/internal/secret"
)

func newKeyset(t *testing.T) string {
	t.Helper()
	value, err := secret.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func parse(t *testing.T, value string) *secret.Keyring {
	t.Helper()
	keyring, err := secret.ParseKeyset(value)
	if err != nil {
		t.Fatal(err)
	}
	return keyring
}

// fields draws texts that are short and alike, so that moved boundaries are likely.
func fields() *rapid.Generator[[]string] {
	return rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom([]rune("a|:\x00\x01")), 0, 4, -1), 1, 4)
}

func TestSeal_OpensAgain(t *testing.T) {
	t.Parallel()
	keyring := parse(t, newKeyset(t))
	rapid.Check(t, func(t *rapid.T) {
		plain, place := rapid.SliceOf(rapid.Byte()).Draw(t, "plain"), fields().Draw(t, "place")

		sealed, err := keyring.Seal(plain, place...)
		if err != nil {
			t.Fatal(err)
		}
		opened, err := keyring.Open(sealed, place...)

		if err != nil || !bytes.Equal(opened, plain) {
			t.Fatalf("got %q, %v", opened, err)
		}
		if len(plain) >= 8 && bytes.Contains(sealed, plain) {
			t.Fatal("the sealed bytes show the plain ones")
		}
	})
}

func TestOpen_RefusesAnotherPlace(t *testing.T) {
	t.Parallel()
	keyring := parse(t, newKeyset(t))
	rapid.Check(t, func(t *rapid.T) {
		place, other := fields().Draw(t, "place"), fields().Draw(t, "other")
		if slices.Equal(place, other) {
			t.Skip("the same place")
		}
		sealed, err := keyring.Seal([]byte("1234"), place...)
		if err != nil {
			t.Fatal(err)
		}

		if opened, err := keyring.Open(sealed, other...); !errors.Is(err, secret.ErrSealed) || opened != nil {
			t.Fatalf("sealed for %q, opened for %q: %q, %v", place, other, opened, err)
		}
	})
}

func TestOpen_RefusesChangedBytes(t *testing.T) {
	t.Parallel()
	keyring := parse(t, newKeyset(t))
	rapid.Check(t, func(t *rapid.T) {
		sealed, err := keyring.Seal(rapid.SliceOf(rapid.Byte()).Draw(t, "plain"), "label", "tenant", "row")
		if err != nil {
			t.Fatal(err)
		}
		at := rapid.IntRange(0, len(sealed)-1).Draw(t, "at")
		sealed[at] ^= rapid.ByteRange(1, 255).Draw(t, "flip")

		if _, err := keyring.Open(sealed, "label", "tenant", "row"); !errors.Is(err, secret.ErrSealed) {
			t.Fatalf("byte %d changed: %v", at, err)
		}
	})
}

func TestOpen_RefusesAnotherKey(t *testing.T) {
	t.Parallel()
	ours, theirs := parse(t, newKeyset(t)), parse(t, newKeyset(t))
	sealed, err := ours.Seal([]byte("1234"), "label")
	if err != nil {
		t.Fatal(err)
	}

	if _, err := theirs.Open(sealed, "label"); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("got %v", err)
	}
}

func TestSeal_WantsAPlace(t *testing.T) {
	t.Parallel()
	if _, err := parse(t, newKeyset(t)).Seal([]byte("1234")); err == nil {
		t.Error("a value was sealed for no place")
	}
}

func TestDigest_TellsBoundaries(t *testing.T) {
	t.Parallel()
	keyring := parse(t, newKeyset(t))
	rapid.Check(t, func(t *rapid.T) {
		a, b := fields().Draw(t, "a"), fields().Draw(t, "b")

		same := secret.SameDigest(keyring.Digest("launch", a...), keyring.Digest("launch", b...))

		if same != slices.Equal(a, b) {
			t.Fatalf("%q and %q: same is %v", a, b, same)
		}
	})
}

func TestDigest(t *testing.T) {
	t.Parallel()
	value := newKeyset(t)
	digest := parse(t, value).Digest("launch", "ab", "c")

	for name, other := range map[string][]byte{
		"a moved boundary": parse(t, value).Digest("launch", "a", "bc"),
		"joined fields":    parse(t, value).Digest("launch", "abc"),
		"another label":    parse(t, value).Digest("cancel", "ab", "c"),
		"label and field":  parse(t, value).Digest("launcha", "b", "c"),
		"another key":      parse(t, newKeyset(t)).Digest("launch", "ab", "c"),
		"nothing":          nil,
	} {
		if secret.SameDigest(digest, other) {
			t.Errorf("%s gave the same digest", name)
		}
	}
	if !secret.SameDigest(digest, parse(t, value).Digest("launch", "ab", "c")) {
		t.Error("the same fields gave another digest")
	}
	if secret.SameDigest(nil, nil) {
		t.Error("no digest is the same as no digest")
	}
	if len(digest) != 32 {
		t.Errorf("a digest has %d bytes", len(digest))
	}
}

// Ensure that processes before, between and after the two halves of a rotation read each
// other, and that digests stay.
func TestRotation(t *testing.T) {
	t.Parallel()
	before := newKeyset(t)
	between, err := secret.AddSealingKey(before)
	if err != nil {
		t.Fatal(err)
	}
	after, err := secret.PromoteSealingKey(between)
	if err != nil {
		t.Fatal(err)
	}
	stages := []*secret.Keyring{parse(t, before), parse(t, between), parse(t, after)}

	for i, writer := range stages {
		sealed, err := writer.Seal([]byte("1234"), "label")
		if err != nil {
			t.Fatal(err)
		}
		for j, reader := range stages {
			_, err := reader.Open(sealed, "label")
			if readable := i-j < 2; readable != (err == nil) {
				t.Errorf("sealed at stage %d, opened at stage %d: %v", i, j, err)
			}
			if !secret.SameDigest(writer.Digest("a"), reader.Digest("a")) {
				t.Errorf("stages %d and %d digest differently", i, j)
			}
		}
	}
	sealedBefore, _ := stages[0].Seal(nil, "label")
	sealedAfter, _ := stages[2].Seal(nil, "label")
	if bytes.Equal(sealedBefore[:5], sealedAfter[:5]) {
		t.Error("the new key does not seal")
	}
}

func TestParseKeyset_Refuses(t *testing.T) {
	t.Parallel()
	good := newKeyset(t)
	whole, err := base64.StdEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(whole, &parts); err != nil {
		t.Fatal(err)
	}
	twisted := func(sealing, digest json.RawMessage) string {
		whole, err := json.Marshal(map[string]json.RawMessage{"sealing": sealing, "digest": digest})
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(whole)
	}

	for name, value := range map[string]string{
		"nothing":        "",
		"no base64":      "hunter2",
		"half of it":     good[:len(good)/2/4*4],
		"no JSON":        base64.StdEncoding.EncodeToString([]byte("hunter2")),
		"one key only":   twisted(parts["sealing"], nil),
		"keys exchanged": twisted(parts["digest"], parts["sealing"]),
	} {
		keyring, err := secret.ParseKeyset(value)
		if err == nil || keyring != nil {
			t.Errorf("%s was accepted", name)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error repeats the value: %v", name, err)
		}
	}
	if _, err := secret.ParseKeyset(" " + good + "\n"); err != nil {
		t.Errorf("space around a keyset: %v", err)
	}
}

func TestKeyring_HidesItself(t *testing.T) {
	t.Parallel()
	keyring := parse(t, newKeyset(t))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		if got := fmt.Sprintf(verb, keyring); got != "***" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}
