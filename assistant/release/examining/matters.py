"""Every check by name: what it is about, and why that counts. The reference page is made of this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assistant.errors import Text


@dataclass(frozen=True)
class Matter:
    """A check's title and its reason. `source` says what is looked at."""

    title: Text
    why: Text
    source: str


def matter_of(name: str) -> Matter:
    """The check's matter; a name that stands in no table is its own title."""
    return MATTERS.get(name) or Matter(Text(ja=name, en=name), Text(ja="", en=""), "")


def _matter(ja: str, en: str, why_ja: str, why_en: str, source: str) -> Matter:
    return Matter(Text(ja=ja, en=en), Text(ja=why_ja, en=why_en), source)


MATTERS: Mapping[str, Matter] = {
    "ledger": _matter(
        "台帳", "the ledger", "台帳がなければ何も答えられません。", "Without the ledger nothing can be answered.",
        "the database",
    ),
    "vectors": _matter(
        "ベクトル索引", "the vector index",
        "意味による検索が使えません。", "Without it nothing is found by its meaning.", "Chroma",
    ),
    "embedder": _matter(
        "埋め込みモデル", "the embedder",
        "意味による検索も取り込みもできません。", "Without it nothing is found by its meaning, and nothing is ingested.",
        "the model server",
    ),
    "model": _matter(
        "回答モデル", "the chat model",
        "モデルがないあいだ、回答は文書の引用だけです。", "Without it answers are quotations only.", "the model server",
    ),
    "yielding": _matter(
        "取り込みの譲り合い", "ingestion gives way",
        "取り込みのあいだ回答が遅くなります。", "Answers are slow while documents are taken in.", "the data folder",
    ),
    "users_file": _matter(
        "利用者ファイル", "the users file",
        "ファイルと台帳が違うと、閲覧の権利が古いままです。", "Where file and ledger differ, rights are old ones.",
        "users.toml, the ledger",
    ),
    "release": _matter(
        "公開中のリリース", "the published release",
        "サーバーのモデルが公開したものと違うと、だれも確かめていない答えが出ます。",
        "Where the server's model is not what was published, answers come from what nobody has tried.",
        "the ledger, /api/show",
    ),
    "canary": _matter(
        "権限の見張り", "the permission canary",
        "読めないはずの文書がだれかに見えています。", "Somebody may see what they may not read.", "the audit",
    ),
    "generation": _matter(
        "索引の世代", "the generation of the indexes",
        "別のモデルで作った索引とは比べられません。", "Vectors of another model cannot be compared with.",
        "the ledger, the embedder",
    ),
    "embedder_fitness": _matter(
        "埋め込みモデルの適性", "fitness of the embedder",
        "文書の言語を読めないモデルでは、意味による検索が効きません。",
        "A model that cannot read the documents' language finds nothing by meaning.",
        "probe questions that were asked of your documents",
    ),
    "rebuild_due": _matter(
        "作り直し待ち", "a rebuild is due",
        "設定したモデルはまだ回答に使われていません。", "The configured model is not used for answers yet.",
        "the ledger, the settings",
    ),
    "ocr": _matter(
        "文字認識", "reading of scans",
        "スキャンされたページを読めません。", "Scanned pages cannot be read.", "tesseract",
    ),
    "disk": _matter(
        "ディスクの空き", "free disk space",
        "いっぱいになると台帳も索引も書けません。", "When it is full, neither ledger nor indexes can be written.",
        "the data folder",
    ),
    "gpu_driver": _matter(
        "NVIDIA ドライバー", "the NVIDIA driver",
        "動かないとモデルは CPU で動き、回答が十倍以上遅くなります。",
        "Without it the model runs on the CPU, and answers take ten times as long or more.",
        "nvidia-smi, the PCI bus",
    ),
    "container_toolkit": _matter(
        "NVIDIA Container Toolkit", "the NVIDIA container toolkit",
        "ないとコンテナに GPU を渡せません。", "Without it no container gets the GPU.", "docker info",
    ),
    "gpu_in_container": _matter(
        "コンテナから見える GPU", "the GPU inside the container",
        "ホストで見えても、Ollama のコンテナで見えなければ使われません。",
        "A GPU that the host sees is not used until Ollama's container sees it, too.",
        "docker inspect, nvidia-smi in the container",
    ),
    "model_on_gpu": _matter(
        "GPU に載ったモデル", "the model on the GPU",
        "一部でも CPU に載ると、そこが全体の速さを決めます。",
        "What lies on the CPU, however little, sets the pace of the whole model.", "/api/ps",
    ),
    "flash_attention": _matter(
        "flash attention と KV キャッシュ", "flash attention and the KV cache",
        "flash attention なしでは q8_0 が黙って f16 になり、窓のメモリーが倍になります。",
        "Without flash attention q8_0 silently becomes f16: the window takes twice the memory.",
        "Ollama's log or its container's environment",
    ),
    "model_memory": _matter(
        "モデルのメモリー不足", "memory for the model",
        "メモリーが足りないと、読み込みも回答も途中で落ちます。", "Short of memory, loading and answers break off.",
        "Ollama's log, the kernel's log",
    ),
    "num_ctx": _matter(
        "窓の大きさ num_ctx", "the window num_ctx",
        "違う大きさで呼ばれるたびに、モデルが読み直されます。", "Each call with another window loads the model anew.",
        "/api/show, /api/ps, Ollama's log",
    ),
    "models_evict": _matter(
        "モデルの追い出し合い", "models that evict each other",
        "回答と埋め込みのモデルが交互に読み込まれ、質問のたびに何秒も待たされます。",
        "Chat model and embedder are loaded by turns, and every question waits for seconds.",
        "Ollama's log and environment, /api/ps",
    ),
    "ollama_version": _matter(
        "Ollama の版", "Ollama's version",
        "0.17.1 より前には、他人の質問が読み出される穴があります(CVE-2026-7482)。",
        "Before 0.17.1 others' questions can be read out of its memory (CVE-2026-7482).", "/api/version",
    ),
    "chat_template": _matter(
        "対話の雛形", "the chat template",
        "雛形のないモデルは SYSTEM を読まず、いつまでも書き続けます。",
        "Without one the model never sees SYSTEM, and does not stop.", "/api/show",
    ),
    "embed_model": _matter(
        "埋め込みに使うモデル", "what is used as embedder",
        "回答用のモデルもベクトルを返しますが、検索には使えません。",
        "A chat model returns vectors as well, and they are no good for searching.", "/api/show",
    ),
    "model_pull": _matter(
        "モデルの取得", "downloads of models",
        "止まったままの取得は、待っても終わりません。", "A download that stands still does not end by waiting.",
        "the models folder, Ollama's log",
    ),
    "address_ollama": _matter(
        "Ollama のアドレス", "Ollama's address",
        "つながらなければ、回答も埋め込みもできません。", "Without it there are no answers and no vectors.",
        "a connection",
    ),
    "address_chroma": _matter(
        "Chroma のアドレス", "Chroma's address",
        "つながらなければ、意味による検索ができません。", "Without it nothing is found by its meaning.", "a connection",
    ),
    "address_api": _matter(
        "API のアドレス", "the API's address",
        "画面もアプリも API に尋ねます。", "The screen and all apps ask the API.", "a connection",
    ),
    "exposed_ports": _matter(
        "外に開いたポート", "ports open to others",
        "Ollama、Chroma、API、画面には自前の鍵がありません。入口は nginx だけです。",
        "Ollama, Chroma, API and screen have no lock of their own; nginx is the only door.",
        "/proc/net/tcp, docker ps",
    ),
    "passwords": _matter(
        "初期値のパスワード", "default passwords",
        "推測できる秘密は、鍵がないのと同じです。", "A secret that can be guessed is none.",
        "the settings, nginx's password file",
    ),
    "certificate": _matter(
        "証明書", "the certificate",
        "期限が切れると、だれもブラウザーで開けなくなります。", "Once it has ended, no browser opens the page any more.",
        "certificate.pem, key.pem",
    ),
    "nginx": _matter(
        "nginx の設定", "nginx's configuration",
        "受け付けられない設定では、次の起動で入口が開きません。",
        "With a configuration that it does not accept, the door stays shut at the next start.", "nginx -t",
    ),
    "clock": _matter(
        "時計", "the clock",
        "時計がずれると、証明書、サインイン、キーの期限、監査の時刻が狂います。",
        "A wrong clock spoils certificates, sign-ins, expiries of keys and the audit's times.",
        "timedatectl, the newest time in the ledger",
    ),
    "indexes": _matter(
        "台帳と索引の一致", "ledger and indexes agree",
        "索引に足りない文書は見つかりません。", "What an index lacks is not found.",
        "ids and sampled vectors in Chroma and tantivy",
    ),
    "backup": _matter(
        "バックアップの新しさ", "age of the backup",
        "台帳は作り直せません。質問、権利、監査は台帳にしかありません。",
        "The ledger cannot be made anew: answers, rights and the audit are in it alone.", "the audit",
    ),
}  # fmt: skip
