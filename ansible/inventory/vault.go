package inventory

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"pgtui/ansible/py"
	"pgtui/source"
)

// The reasons a vaulted value stays locked.
var (
	errNoPassword  = errors.New("it is vaulted and no vault password was given")
	errBadPassword = errors.New("it is vaulted with a different password")
	errBadVault    = errors.New("it is not a value that ansible-vault wrote")
)

const vaultMark = "$ANSIBLE_VAULT;"

// unlock decrypts one !vault value; the error travels in the value, because
// Ansible decrypts only what is used.
func (l *loader) unlock(text string) py.Vault {
	plain, err := l.decrypt(text)
	return py.Vault{Text: string(plain), Sealed: text, Err: err}
}

// unlockFile decrypts a file that is vaulted as a whole.
func (l *loader) unlockFile(name string, data []byte) ([]byte, error) {
	if !bytes.HasPrefix(data, []byte(vaultMark)) {
		return data, nil
	}
	plain, err := l.decrypt(string(data))
	if err != nil {
		return nil, &source.Hint{Err: fmt.Errorf("%s: %w", l.show(name), err), Try: "give the password with --vault-password-file FILE"}
	}
	return plain, nil
}

// decrypt remembers what it did: deriving a key takes milliseconds, and an
// anchored value comes by many times.
func (l *loader) decrypt(text string) ([]byte, error) {
	if l.opt.VaultPassword == "" {
		return nil, errNoPassword
	}
	if r, ok := l.opened[text]; ok {
		return r.plain, r.err
	}
	if err := l.b.Spend(2000+len(text)>>4, 6*len(text)); err != nil { // deriving a key takes milliseconds
		return nil, err
	}
	plain, err := DecryptVault(text, l.opt.VaultPassword)
	if l.opened == nil {
		l.opened = map[string]opened{}
	}
	l.opened[text] = opened{plain, err}
	return plain, err
}

type opened struct {
	plain []byte
	err   error
}

// DecryptVault decrypts what ansible-vault wrote (formats 1.1 and 1.2,
// AES256): the header line and the hex lines after it. The secret is not in
// any error.
func DecryptVault(text, password string) ([]byte, error) {
	header, body, ok := strings.Cut(strings.TrimSpace(text), "\n")
	parts := strings.Split(strings.TrimSpace(header), ";")
	if !ok || len(parts) < 3 || parts[0] != "$ANSIBLE_VAULT" || parts[2] != "AES256" || parts[1] != "1.1" && parts[1] != "1.2" {
		return nil, errBadVault
	}
	outer, err := hex.DecodeString(strings.Join(strings.Fields(body), ""))
	if err != nil {
		return nil, errBadVault
	}
	fields := bytes.Split(outer, []byte("\n"))
	if len(fields) != 3 {
		return nil, errBadVault
	}
	var raw [3][]byte
	for i, f := range fields {
		if raw[i], err = hex.DecodeString(string(f)); err != nil {
			return nil, errBadVault
		}
	}
	salt, sum, sealed := raw[0], raw[1], raw[2]
	keys, err := pbkdf2.Key(sha256.New, password, salt, 10000, 80)
	if err != nil {
		return nil, fmt.Errorf("vault key: %w", err)
	}
	mac := hmac.New(sha256.New, keys[32:64])
	mac.Write(sealed)
	if !hmac.Equal(mac.Sum(nil), sum) {
		return nil, errBadPassword
	}
	block, err := aes.NewCipher(keys[:32])
	if err != nil {
		return nil, fmt.Errorf("vault key: %w", err)
	}
	plain := make([]byte, len(sealed))
	cipher.NewCTR(block, keys[64:80]).XORKeyStream(plain, sealed)
	return unpad(plain)
}

// unpad takes the PKCS#7 padding off.
func unpad(b []byte) ([]byte, error) {
	if len(b) == 0 {
		return nil, errBadVault
	}
	n := int(b[len(b)-1])
	if n == 0 || n > aes.BlockSize || n > len(b) {
		return nil, errBadVault
	}
	return b[:len(b)-n], nil
}
