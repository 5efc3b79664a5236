"""A tiny vision-language model with random weights, made here: nothing is downloaded.

    python -m benchmarks.tiny_vlm FOLDER

LLaVA with a CLIP tower and a Llama of two layers, 0.3 million weights. Its tokenizer has the words of the texts that it
is trained on. Such a model knows nothing; it shows that a training learns.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SIDE, PATCH = 28, 14
_HIDDEN = 96
_TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>"
    "{% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}"
    "{% if part.type == 'image' %}<image>{% else %}{{ part.text }}{% endif %}{% endfor %}{% endif %}<|end|>"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
_SPECIAL = ("<pad>", "<s>", "<|end|>", "<image>", "<|user|>", "<|assistant|>", "<unk>")


def make_tiny_vlm(folder: Path, texts: Sequence[str], seed: int = 0) -> None:
    """Write model and processor to `folder`. The tokenizer knows the words of `texts` and all bytes."""
    import torch
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    tokenizer = _tokenizer(texts)
    torch.manual_seed(seed)
    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in _SPECIAL}
    text = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=_HIDDEN,
        intermediate_size=2 * _HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=1024,
        pad_token_id=ids["<pad>"],
        bos_token_id=ids["<s>"],
        eos_token_id=ids["<|end|>"],
    )
    vision = CLIPVisionConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=SIDE,
        patch_size=PATCH,
    )
    config = LlavaConfig(
        text_config=text, vision_config=vision, image_token_index=ids["<image>"], vision_feature_layer=-1
    )
    config.image_token_id = ids["<image>"]
    model = LlavaForConditionalGeneration(config)
    model.generation_config.eos_token_id = ids["<|end|>"]
    model.generation_config.pad_token_id = ids["<pad>"]
    images = CLIPImageProcessor(
        size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}, do_center_crop=True
    )
    processor = LlavaProcessor(
        image_processor=images,
        tokenizer=tokenizer,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        chat_template=_TEMPLATE,
        num_additional_image_tokens=1,
    )
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def _tokenizer(texts: Sequence[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE(unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=list(_SPECIAL), initial_alphabet=alphabet, show_progress=False
    )
    core.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="<|end|>",
        unk_token="<unk>",
        extra_special_tokens={"image_token": "<image>"},
        chat_template=_TEMPLATE,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the model."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tiny_vlm", description=__doc__)
    parser.add_argument("folder", type=Path)
    make_tiny_vlm(parser.parse_args(arguments).folder, ['{"reason": "", "label": "red"}'] * 8)


if __name__ == "__main__":
    main()
