package fetch

import (
	"context"
	"net/http"
	"strings"
)

// GetOnce is [Client.Get] for what may answer with a redirect that means something to
// the caller: none is followed. A redirect with a target gives that as an absolute URL,
// which is not checked, and no body.
func (c *Client) GetOnce(ctx context.Context, rawURL string, contentTypes ...string) (body []byte, contentType, location string, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout())
	defer cancel()
	req, err := c.request(ctx, http.MethodGet, rawURL, http.NoBody)
	if err != nil {
		return nil, "", "", err
	}
	if len(contentTypes) > 0 {
		req.Header.Set("Accept", strings.Join(contentTypes, ", "))
	}
	client := http.Client{Transport: c.over(req.URL.Scheme), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return nil, "", "", failure(req.Context(), err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		to, err := resp.Location()
		if err != nil {
			return nil, "", "", ErrRedirect
		}
		return nil, "", to.String(), nil
	default:
		return nil, "", "", ErrStatus{resp.StatusCode}
	}
	contentType, err = mediaType(resp.Header, contentTypes)
	if err != nil {
		return nil, "", "", err
	}
	body, err = c.read(resp)
	if err != nil {
		return nil, "", "", err
	}
	return body, contentType, "", nil
}
