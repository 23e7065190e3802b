package server

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/stator-db/stator/partition"
)

// signAlgorithm is the only signing algorithm of the API.
const signAlgorithm = "AWS4-HMAC-SHA256"

// maxAccessKey is the longest access key id in bytes (IAM model, accessKeyIdType).
const maxAccessKey = 128

// A signature is what a request says about its signer, from the Authorization
// header or from the query string of a presigned request. All fields are parts
// of the request's text.
type signature struct {
	algorithm     string
	credential    string
	signedHeaders string
	signature     string
	date          string // X-Amz-Date or Date as sent
}

// A scope is a parsed credential: key id and where and when it is good for.
type scope struct {
	accessKey, date, region, service, terminator string
}

// authenticate takes access key, region and namespace from the signature. The
// signature itself is not checked: any credentials are accepted. What the service
// says about a malformed one is said here too, except in the
// manners of DynamoDB Local, which only wants a credential.
func (c *call) authenticate(r *http.Request) error {
	sig, err := c.findSignature(r)
	if err != nil {
		return err
	}
	var sc scope
	if c.s.options.Local {
		sc, err = localScope(sig)
	} else {
		sc, err = serviceScope(sig)
	}
	if err != nil {
		return err
	}
	c.accessKey, c.region = sc.accessKey, sc.region
	if !c.s.options.SharedDB {
		c.ns = partition.Namespace{Account: sc.accessKey, Region: sc.region}
	}
	return nil
}

func (c *call) findSignature(r *http.Request) (signature, error) {
	header := r.Header.Get("Authorization")
	var query url.Values
	if r.URL.RawQuery != "" {
		query = r.URL.Query()
	}
	presigned := query.Has("X-Amz-Algorithm")
	switch {
	case header != "" && presigned:
		return signature{}, invalidSignature("Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.")
	case presigned:
		return querySignature(query)
	case !strings.HasPrefix(header, "AWS4-"):
		return signature{}, errMissingToken
	case c.s.options.Local:
		return parseAuthorization(header), nil
	}
	return headerSignature(r.Header, header)
}

// headerSignature reads the Authorization header and names the parts that it lacks.
func headerSignature(h http.Header, header string) (signature, error) {
	sig := parseAuthorization(header)
	sig.date = h.Get("X-Amz-Date")
	if sig.date == "" {
		sig.date = h.Get("Date")
	}
	if sig.credential != "" && sig.signature != "" && sig.signedHeaders != "" && sig.date != "" {
		return sig, nil
	}
	var text strings.Builder
	for _, part := range []struct{ name, value string }{
		{"Credential", sig.credential}, {"Signature", sig.signature}, {"SignedHeaders", sig.signedHeaders},
	} {
		if part.value == "" {
			text.WriteString("Authorization header requires '" + part.name + "' parameter. ")
		}
	}
	if sig.date == "" {
		text.WriteString("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
	}
	text.WriteString("Authorization=" + header)
	return signature{}, incompleteSignature(text.String())
}

// parseAuthorization splits "AWS4-HMAC-SHA256 Credential=..., SignedHeaders=...,
// Signature=...". Commas, spaces or both stand between the parts.
func parseAuthorization(header string) signature {
	var sig signature
	sig.algorithm, header, _ = strings.Cut(header, " ")
	for header != "" {
		end := strings.IndexAny(header, ", ")
		part := header
		if end >= 0 {
			part, header = header[:end], header[end+1:]
		} else {
			header = ""
		}
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "Credential":
			sig.credential = value
		case "SignedHeaders":
			sig.signedHeaders = value
		case "Signature":
			sig.signature = value
		}
	}
	return sig
}

// querySignature reads a presigned request and names the parameters that it lacks.
func querySignature(q url.Values) (signature, error) {
	sig := signature{
		algorithm:     q.Get("X-Amz-Algorithm"),
		credential:    q.Get("X-Amz-Credential"),
		signature:     q.Get("X-Amz-Signature"),
		signedHeaders: q.Get("X-Amz-SignedHeaders"),
		date:          q.Get("X-Amz-Date"),
	}
	var text strings.Builder
	for _, p := range []struct{ name, value string }{
		{"Algorithm", sig.algorithm}, {"Credential", sig.credential}, {"Signature", sig.signature},
		{"SignedHeaders", sig.signedHeaders}, {"Date", sig.date},
	} {
		if p.value == "" {
			text.WriteString("AWS query-string parameters must include 'X-Amz-" + p.name + "'. ")
		}
	}
	if text.Len() > 0 {
		text.WriteString("Re-examine the query-string parameters.")
		return signature{}, incompleteSignature(text.String())
	}
	return sig, nil
}

// serviceScope checks the signature as the service does before it looks up the key.
func serviceScope(sig signature) (scope, error) {
	date, ok := basicDate(sig.date)
	if !ok {
		return scope{}, incompleteSignature("Date must be in ISO-8601 'basic format'. Got '" + sig.date +
			"'. See http://en.wikipedia.org/wiki/ISO_8601")
	}
	if !signsHost(sig.signedHeaders) {
		return scope{}, invalidSignature("'Host' must be a 'SignedHeader' in the AWS Authorization.")
	}
	if sig.algorithm != signAlgorithm {
		return scope{}, incompleteSignature("Unsupported AWS 'algorithm': '" + sig.algorithm +
			"' (only AWS4-HMAC-SHA256 for now). ")
	}
	sc, ok := parseScope(sig.credential)
	if !ok {
		return scope{}, incompleteSignature("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '" +
			sig.credential + "'")
	}
	if err := sc.fault(date); err != nil {
		return scope{}, err
	}
	if sc.accessKey == "" || len(sc.accessKey) > maxAccessKey {
		return scope{}, unrecognizedClient("The security token included in the request is invalid.")
	}
	return sc, nil
}

// fault lists everything that is wrong with the scope; date is the request's
// X-Amz-Date. Any region is a valid one as long as it can stand in an ARN.
func (sc *scope) fault(date string) error {
	day := date[:len("20060102")]
	if validRegion(sc.region) && sc.service == "dynamodb" && sc.terminator == "aws4_request" && sc.date == day {
		return nil
	}
	var text strings.Builder
	if !validRegion(sc.region) {
		text.WriteString("Credential should be scoped to a valid region, not '" + sc.region + "'. ")
	}
	if sc.service != "dynamodb" {
		text.WriteString("Credential should be scoped to correct service: 'dynamodb'. ")
	}
	if sc.terminator != "aws4_request" {
		text.WriteString("Credential should be scoped with a valid terminator: 'aws4_request', not '" + sc.terminator + "'. ")
	}
	if sc.date != day {
		text.WriteString("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '" +
			sc.date + "' != '" + day + "', from '" + date + "'.")
	}
	return invalidSignature(text.String())
}

// localScope is DynamoDB Local's view of a credential: key id and region count,
// the rest may be anything, and key ids are letters and digits.
func localScope(sig signature) (scope, error) {
	sc, ok := parseScope(sig.credential)
	if !ok || !validRegion(sc.region) || !alphanumeric(sc.accessKey) || len(sc.accessKey) > maxAccessKey {
		return scope{}, unrecognizedClient("The Access Key ID or security token is invalid.")
	}
	return sc, nil
}

// parseScope splits keyid/date/region/service/term.
func parseScope(credential string) (scope, bool) {
	if strings.Count(credential, "/") != 4 {
		return scope{}, false
	}
	var sc scope
	sc.accessKey, credential, _ = strings.Cut(credential, "/")
	sc.date, credential, _ = strings.Cut(credential, "/")
	sc.region, credential, _ = strings.Cut(credential, "/")
	sc.service, sc.terminator, _ = strings.Cut(credential, "/")
	return sc, true
}

// basicDate returns the date in ISO 8601 basic format (20130609T094515Z). It takes
// that, or the form of the Date header.
func basicDate(date string) (string, bool) {
	const layout = "20060102T150405Z"
	if len(date) == len(layout) && date[8] == 'T' && date[15] == 'Z' && digits(date[:8]) && digits(date[9:15]) {
		return date, true
	}
	if t, err := http.ParseTime(date); err == nil {
		return t.UTC().Format(layout), true
	}
	return "", false
}

// signsHost reports whether host is among the signed headers (a;b;c).
func signsHost(signedHeaders string) bool {
	for name := range strings.SplitSeq(signedHeaders, ";") {
		if strings.EqualFold(name, "host") {
			return true
		}
	}
	return false
}

// validRegion accepts what can stand in an ARN: AWS's regions and made-up ones.
func validRegion(region string) bool {
	if region == "" || len(region) > 64 {
		return false
	}
	for i := range len(region) {
		if b := region[i]; b != '-' && b != '_' && !isAlphanumeric(b) {
			return false
		}
	}
	return true
}

func alphanumeric(s string) bool {
	for i := range len(s) {
		if !isAlphanumeric(s[i]) {
			return false
		}
	}
	return s != ""
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func isAlphanumeric(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
}

func incompleteSignature(message string) *apiError {
	return &apiError{Type: coralPrefix + "IncompleteSignatureException", Message: message}
}

func invalidSignature(message string) *apiError {
	return &apiError{Type: coralPrefix + "InvalidSignatureException", Message: message}
}

func unrecognizedClient(message string) *apiError {
	return &apiError{Type: coralPrefix + "UnrecognizedClientException", Message: message}
}
