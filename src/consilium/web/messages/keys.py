"""What can be wrong with keys, licences and the store of the library (`alliance.library`). Gaps are `{}`, by order."""

from __future__ import annotations

from collections.abc import Mapping

MESSAGES: Mapping[str, str] = {
    "the file {}... is not in the store": "存储中没有文件 {0}…",
    "Bring it back from a copy of the store, or publish the model again.": "请从存储的副本恢复，或重新发布模型。",
    "Make a new one: consilium library key make.": "请生成新密钥：consilium library key make。",
    "this key was revoked": "此密钥已吊销",
    "this key is of another hospital already": "此密钥已属于另一家医院",
    "Every hospital makes its own.": "每家医院须自行生成密钥。",
    "the key was revoked ({})": "密钥已吊销（{0}）",
    "the key cannot be read ({})": "无法读取密钥（{0}）",
    "it is no private key": "不是私钥",
    "the catalogue does not know the key {}... yet": "目录中尚无密钥 {0}…",
    "The operator enters it: consilium library key trust FILE --hospital {}.":
        "由联盟运营者登记：consilium library key trust FILE --hospital {0}。",
    "this key was revoked ({})": "此密钥已吊销（{0}）",
    "this key is of another hospital": "此密钥属于另一家医院",
    "{} names {} keys": "{0} 对应 {1} 个密钥",
    "Give the first 16 digits of its fingerprint; `consilium library key list` shows them.":
        "请填写指纹的前 16 位；命令 `consilium library key list` 可查看。",
    "these are no rules on licences ({})": "不是许可规则（{0}）",
    "It is a JSON object with models, data and forbidden; `consilium library licences` prints one.":
        "应为含 models、data 和 forbidden 的 JSON 对象；命令 `consilium library licences` 可输出示例。",
    "packaging is needed to read licences": "读取许可需要 packaging",
    "oras is needed for registries": "使用仓库需要 oras",
    "{} names no place in a registry": "{0} 不是仓库中的位置",
    "As in oci://registry.example.org/consilium.": "例如 oci://registry.example.org/consilium。",
    "the file {} is not what its digest says": "文件 {0} 与其校验值不符",
    "{} (the registry answers {})": "{0}（仓库返回 {1}）",
    "Look at the registry's log: it may be full, read-only, or want a login (`docker login`).":
        "请查看仓库日志：可能已满、只读或需要登录（`docker login`）。",
    "the registry does not answer ({})": "仓库没有响应（{0}）",
    "Start it, or name another store.": "请启动仓库，或指定其他存储。",
    "a file in the library was altered: {}... is {}... now": "模型库中的文件已被改动：校验值应为 {0}…，现为 {1}…",
    "Do not use this model. Tell the operator; a copy of the store has the right one.":
        "请勿使用此模型，并告知联盟运营者；存储的副本中有正确的文件。",
    "Nothing was changed. Make room or ask for permission, then call again.":
        "未作任何更改。请腾出空间或取得权限后重试。",
    "there is a key already": "已有密钥",
    "Models that it signed need it: keep it, or move it away.": "由其签名的模型仍需要它：请保留或移至别处。",
    "the key cannot be written ({})": "无法写入密钥（{0}）",
    "Make one: consilium library key make.": "请生成密钥：consilium library key make。",
    "there is no key to sign with": "没有可用于签名的密钥",
    "others on this machine can read the private key (mode {})": "本机其他用户可读取私钥（权限 {0}）",
    "Make a new one if somebody did; else: chmod 600 {}.": "如已被他人读取，请生成新密钥；否则请执行 chmod 600 {0}。",
    "the key cannot be noted ({})": "无法登记密钥（{0}）",
    "the publisher cannot be noted ({})": "无法登记发布者（{0}）",
    "{} is of {} as this hospital knows it, and the catalogue says of {}": "本院记录中 {0} 属于 {1}，而目录中属于 {2}",
    "Somebody may have changed the catalogue: ask the operator by telephone.": "目录可能被改动：请电话询问联盟运营者。",
    "it is signed with a key of {} that this hospital has not met ({}...)": "签名所用的 {0} 的密钥（{1}…）本院尚未登记",
    "Ask the publisher by telephone whether the key is his, then: consilium library key accept {}":
        "请电话向发布者确认密钥，然后执行 consilium library key accept {0}",
    "Install it: pip install 'consilium[library]'.": "请安装：pip install 'consilium[library]'。",
    "cryptography is needed for keys": "使用密钥需要 cryptography",
    "it is no key of the curve P-256, P-384 or P-521": "不是 P-256、P-384 或 P-521 曲线的密钥",
    "it holds no key in PEM": "其中没有 PEM 格式的密钥",
    "{} names no keys": "{0} 没有对应的密钥",
    "Make one: openssl ecparam -name prime256v1 -genkey -noout -out key.pem":
        "请生成密钥：openssl ecparam -name prime256v1 -genkey -noout -out key.pem",
}  # fmt: skip
