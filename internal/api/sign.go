package api

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// signer makes and checks URLs that work without a token, for a while, and the
// tokens of pages.
type signer struct{ key []byte }

const keyPath = "/api/url-key"

// ensureKey is the key of the cloud's signed URLs, made at the first start.
func ensureKey(ctx context.Context, s store.Store) ([]byte, error) {
	var key []byte
	fresh := make([]byte, 32)
	if _, err := rand.Read(fresh); err != nil {
		return nil, err
	}
	_, err := s.Update(ctx, func(tx store.Tx) error {
		e, err := tx.Get(ctx, keyPath)
		if errors.Is(err, store.ErrNotFound) {
			key = fresh
			tx.Put(keyPath, fresh)
			return nil
		}
		key = e.Value
		return err
	})
	return key, err
}

// sign is path with a query that check accepts until expiry. It is about the
// resource with the UID.
func (s *signer) sign(path, uid string, expiry time.Time) string {
	until := strconv.FormatInt(expiry.Unix(), 10)
	v := url.Values{"se": {until}, "of": {uid}, "sig": {base64.RawURLEncoding.EncodeToString(s.mac("url", path, until, uid))}}
	return (&url.URL{Path: path}).EscapedPath() + "?" + v.Encode()
}

// mac is over parts, none of which has a zero byte in it but the last.
func (s *signer) mac(parts ...string) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte(strings.Join(parts, "\x00")))
	return h.Sum(nil)
}

// check says whether u is signed, and the UID of the resource that it is about.
// A signature that is wrong or too old is an error.
func (s *signer) check(u *url.URL, now time.Time) (uid string, signed bool, err error) {
	v := u.Query()
	if !v.Has("sig") {
		return "", false, nil
	}
	sig, err := base64.RawURLEncoding.DecodeString(v.Get("sig"))
	if err != nil || !hmac.Equal(sig, s.mac("url", u.Path, v.Get("se"), v.Get("of"))) {
		return "", false, arm.StatusError(http.StatusForbidden, "AuthenticationFailed", "The signature of the URL is not valid.")
	}
	until, err := strconv.ParseInt(v.Get("se"), 10, 64)
	if err != nil || now.Unix() >= until {
		return "", false, arm.StatusError(http.StatusForbidden, "AuthenticationFailed", "The URL is no longer valid. Ask for a new one.")
	}
	return v.Get("of"), true, nil
}

// sealBytes is how much of a MAC is in the token of a page.
const sealBytes = 16

// seal makes the token by which a client asks for the page of the list at path
// that begins after the key after. Nobody else can make one.
func (s *signer) seal(path, after string) string {
	return base64.RawURLEncoding.EncodeToString(append(s.pageMAC(path, after), after...))
}

// open is what seal was given; ok is false for what it did not make, or made for
// another list.
func (s *signer) open(path, token string) (after string, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) < sealBytes {
		return "", false
	}
	after = string(b[sealBytes:])
	return after, hmac.Equal(b[:sealBytes], s.pageMAC(path, after))
}

func (s *signer) pageMAC(path, after string) []byte {
	return s.mac("page", strings.ToLower(strings.Trim(path, "/")), after)[:sealBytes]
}
