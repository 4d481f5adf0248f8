"""A stand-in for an Ollama 0.17.7 server: its own process, real HTTP on a loopback socket, no model and no network.

What it is for: tests of the product that need Ollama's answers, delays, refusals and faults without a model. It must
not import the product. ``tests/contracts/test_stub_ollama.py`` holds it to what a real server answered.

    python -m tests.stubs.ollama --port 0        prints {"url": "http://127.0.0.1:43210", "pid": 4711} when it listens
    tests/stubs/ollama/process.py                the handle that fixtures use

    request -> server.py         sockets, routes, hang-up
                 chat.py, openai.py -> runners.py (loads, slots) -> completion.py -> prompt.py, answerer.py
                 embedding.py       -> runners.py
                 show.py            -> library.py, catalogue.py   create, show, tags, ps, pull
               binding.py        bodies as Go checks them
               faults.py         what goes wrong, and when; state.py: settings, log of requests

Like the real one: statuses, texts, order and shape of lines, durations in nanoseconds, silent cutting of long
prompts, loads and reloads, waiting without limit for a slot, a slot that is free at once when its client leaves.
Unlike it: answers are sentences of the prompt's passages; a token is two to four characters of them; vectors are hashed
character pairs and words; nothing is cached between requests; a client that leaves in the middle of a prefill frees
the slot at once. Not there: images, tools, logprobs, models from files, /v1/completions, /v1/responses, /v1/messages.
"""
