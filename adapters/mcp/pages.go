package vetomcp

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// The bounds of a list that does not end.
const (
	maxPages  = 10_000
	maxListed = 100_000 // tools
)

var (
	errEndless = errors.New("vetomcp: the list of tools has no end")
	errCursor  = &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "no cursor of this list"}
)

// listed is a result as one of tools/list.
func listed(res mcp.Result, err error) (*mcp.ListToolsResult, error) {
	page, ok := res.(*mcp.ListToolsResult)
	if err == nil && (!ok || page == nil) {
		err = errRequest
	}
	return page, err
}

// eachPage gets the pages of a list of tools until there is no further one, or
// see wants no more.
func eachPage(p *mcp.ListToolsParams, get func(*mcp.ListToolsParams) (*mcp.ListToolsResult, error), see func(*mcp.ListToolsResult) (more bool)) error {
	for range maxPages {
		page, err := get(p)
		if err != nil {
			return err
		}
		if !see(page) || page.NextCursor == "" {
			return nil
		}
		if page.NextCursor == p.Cursor {
			return errEndless
		}
		next := *p
		next.Cursor = page.NextCursor
		p = &next
	}
	return errEndless
}

// list is tools/list without the tools that the agent can never use. It has
// its own pages: a cursor of the SDK's has the name of a tool in it, which may
// be a hidden one, and pages with gaps would say where these are. For a client
// all is one page.
func (g *Guard) list(ctx context.Context, req mcp.Request, next mcp.MethodHandler) (mcp.Result, error) {
	if g.opts.ListAllTools {
		return next(ctx, listTools, req)
	}
	params, _ := req.GetParams().(*mcp.ListToolsParams)
	if params == nil {
		params = &mcp.ListToolsParams{}
	}
	after, ok := opened(params.Cursor)
	if !ok {
		return nil, errCursor
	}
	first := *params
	first.Cursor = ""
	var some *mcp.ListToolsResult
	var all []*mcp.Tool
	size := 0
	err := eachPage(&first, func(p *mcp.ListToolsParams) (*mcp.ListToolsResult, error) {
		return listed(next(ctx, listTools, asked(req, p)))
	}, func(page *mcp.ListToolsResult) (more bool) {
		if some == nil {
			copied := *page
			some = &copied
		}
		for _, t := range page.Tools {
			if t != nil {
				all = append(all, t)
			}
		}
		size = max(size, len(page.Tools))
		return len(all) <= maxListed
	})
	switch {
	case err != nil:
		return nil, err
	case len(all) > maxListed:
		return nil, errEndless
	}
	some.Tools, some.NextCursor = []*mcp.Tool{}, ""
	for i, use := range g.usable(ctx, req, all) {
		if use {
			some.Tools = append(some.Tools, all[i])
		}
	}
	if some.Tools, ok = behind(some.Tools, after); !ok {
		return nil, errCursor
	}
	if isServers(req) && len(some.Tools) > size {
		some.Tools = some.Tools[:size]
		some.NextCursor = cursor(some.Tools[size-1].Name)
	}
	return ofOneAgent(req, some), nil
}

// asked is the request req for another page.
func asked(req mcp.Request, p *mcp.ListToolsParams) mcp.Request {
	switch r := req.(type) {
	case *mcp.ListToolsRequest:
		return &mcp.ListToolsRequest{Session: r.Session, Params: p, Extra: r.Extra}
	default:
		s, _ := req.GetSession().(*mcp.ClientSession)
		return &mcp.ClientRequest[mcp.Params]{Session: s, Params: p}
	}
}

func isServers(req mcp.Request) bool {
	_, ok := req.GetSession().(*mcp.ServerSession)
	return ok
}

// behind are the tools of a list that come after the one with a name. Where it
// has gone since, these are those with greater names, if the list is in order.
func behind(tools []*mcp.Tool, name string) ([]*mcp.Tool, bool) {
	if name == "" {
		return tools, true
	}
	for i, t := range slices.Backward(tools) {
		if t.Name == name {
			return tools[i+1:], true
		}
	}
	byName := func(a, b *mcp.Tool) int { return strings.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(tools, byName) {
		return nil, false
	}
	i, _ := slices.BinarySearchFunc(tools, &mcp.Tool{Name: name}, byName)
	return tools[i:], true
}

const (
	cursorPrefix   = "veto1."
	maxCursorBytes = 1 << 10
)

// cursor says where a page ends: by the name of its last tool, which the agent
// has seen there.
func cursor(last string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(cursorPrefix + last))
}

func opened(cursor string) (last string, ok bool) {
	if cursor == "" {
		return "", true
	}
	if len(cursor) > maxCursorBytes {
		return "", false
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	last, ok = strings.CutPrefix(string(text), cursorPrefix)
	return last, ok && err == nil && last != ""
}

// ofOneAgent is a result that no cache is to give to another agent: none that
// stands between, and not that of the SDK's client, which all agents of a
// session share.
func ofOneAgent(req mcp.Request, res mcp.Result) mcp.Result {
	var c *mcp.Cacheable
	switch r := res.(type) {
	case *mcp.ListToolsResult:
		c = &r.Cacheable // a copy already
	case *mcp.ReadResourceResult:
		if r == nil {
			return res
		}
		copied := *r
		res, c = &copied, &copied.Cacheable
	default:
		return res
	}
	c.CacheScope = "private"
	if !isServers(req) {
		c.TTLMs = 0
	}
	return res
}
