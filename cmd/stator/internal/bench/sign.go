package bench

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

const (
	contentType   = "application/x-amz-json-1.0"
	targetPrefix  = "DynamoDB_20120810."
	signedHeaders = "content-type;host;x-amz-date;x-amz-target"
	madeUp        = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

// signer computes AWS Signature Version 4 for POST requests to one endpoint. The
// derived key lasts a day and is kept. It is not safe for concurrent use.
type signer struct {
	target   *Target
	endpoint endpoint
	day      string // of key
	key      []byte
}

// appendHeaders appends the header lines x-amz-date, Authorization and, with
// temporary credentials, x-amz-security-token.
func (s *signer) appendHeaders(buf []byte, api string, body []byte, now time.Time) []byte {
	at := now.UTC().Format("20060102T150405Z")
	day := at[:8]
	scope := day + "/" + s.target.Region + "/dynamodb/aws4_request"
	headers, signature := signedHeaders, madeUp
	token := s.target.Credentials.SessionToken
	if token != "" {
		headers = "content-type;host;x-amz-date;x-amz-security-token;x-amz-target"
	}
	if s.target.Sign {
		signature = s.signature(api, body, at, scope, headers)
	}
	buf = append(buf, "X-Amz-Date: "...)
	buf = append(buf, at...)
	if token != "" {
		buf = append(buf, "\r\nX-Amz-Security-Token: "...)
		buf = append(buf, token...)
	}
	buf = append(buf, "\r\nAuthorization: AWS4-HMAC-SHA256 Credential="...)
	buf = append(buf, s.target.Credentials.AccessKey...)
	buf = append(append(buf, '/'), scope...)
	buf = append(buf, ", SignedHeaders="...)
	buf = append(buf, headers...)
	buf = append(buf, ", Signature="...)
	buf = append(buf, signature...)
	return append(buf, "\r\n"...)
}

func (s *signer) signature(api string, body []byte, at, scope, headers string) string {
	if day := at[:8]; s.day != day {
		key := digest([]byte("AWS4"+s.target.Credentials.SecretKey), day)
		key = digest(key, s.target.Region)
		key = digest(key, "dynamodb")
		s.day, s.key = day, digest(key, "aws4_request")
	}
	token := ""
	if s.target.Credentials.SessionToken != "" {
		token = "x-amz-security-token:" + s.target.Credentials.SessionToken + "\n"
	}
	payload := sha256.Sum256(body)
	canonical := "POST\n" + s.endpoint.path + "\n\n" +
		"content-type:" + contentType + "\nhost:" + s.endpoint.host + "\nx-amz-date:" + at + "\n" +
		token + "x-amz-target:" + targetPrefix + api + "\n\n" +
		headers + "\n" + hex.EncodeToString(payload[:])
	hashed := sha256.Sum256([]byte(canonical))
	return hex.EncodeToString(digest(s.key, "AWS4-HMAC-SHA256\n"+at+"\n"+scope+"\n"+hex.EncodeToString(hashed[:])))
}

func digest(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
