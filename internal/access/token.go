package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/secret"
)

// A token's text is
//
//	dt_<principal>_<its id, 32 hex digits>_<256 random bits, 64 hex digits>
//
// so that a scanner finds one that leaked, and people see whose it is and what to revoke.
// Being random it needs no slow hash: the record keeps its SHA-256.
var tokenForm = regexp.MustCompile(`^dt_[a-z]{5,13}_[0-9a-f]{32}_[0-9a-f]{64}$`)

const tokenBytes = 32

// NewToken makes a token of the principal and what the record keeps of it. The caller fills
// in the token's tenant, name and the rest. The text is shown once and kept nowhere.
func NewToken(principal mobile.Principal) (text secret.String, token mobile.Token, hash []byte) {
	id := uuid.Must(uuid.NewV7())
	random := make([]byte, tokenBytes)
	_, _ = rand.Read(random) // It never fails: crypto/rand ends the process first.
	s := strings.Join([]string{
		"dt", tokenWord(principal), hex.EncodeToString(id[:]), hex.EncodeToString(random),
	}, "_")
	sum := sha256.Sum256([]byte(s))
	return secret.New(s), mobile.Token{ID: id.String(), Principal: principal}, sum[:]
}

// tokenWord has no underscore, which parts a token.
func tokenWord(principal mobile.Principal) string {
	return strings.ReplaceAll(strings.ToLower(string(principal)), "_", "")
}
