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
	"time"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// signer makes and checks URLs that work without a token, for a while.
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

// sign is path with a query that check accepts until expiry.
func (s *signer) sign(path string, expiry time.Time) string {
	path = (&url.URL{Path: path}).EscapedPath()
	until := strconv.FormatInt(expiry.Unix(), 10)
	return path + "?se=" + until + "&sig=" + base64.RawURLEncoding.EncodeToString(s.mac(path, until))
}

func (s *signer) mac(path, until string) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte(until + "\n" + path))
	return h.Sum(nil)
}

// check says whether u is signed. A signature that is wrong or too old is an
// error.
func (s *signer) check(u *url.URL, now time.Time) (bool, error) {
	v := u.Query()
	if !v.Has("sig") {
		return false, nil
	}
	sig, err := base64.RawURLEncoding.DecodeString(v.Get("sig"))
	if err != nil || !hmac.Equal(sig, s.mac(u.EscapedPath(), v.Get("se"))) {
		return false, arm.StatusError(http.StatusForbidden, "AuthenticationFailed", "The signature of the URL is not valid.")
	}
	until, err := strconv.ParseInt(v.Get("se"), 10, 64)
	if err != nil || now.Unix() >= until {
		return false, arm.StatusError(http.StatusForbidden, "AuthenticationFailed", "The URL is no longer valid. Ask for a new one.")
	}
	return true, nil
}
